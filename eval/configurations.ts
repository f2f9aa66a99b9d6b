/** One way to search, as the fields of `POST /v1/search`. */
export interface Configuration {
  readonly name: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What needs no language model, so that figures repeat. */
const known: Readonly<Record<string, Configuration['fields']>> = {
  lexical: { mode: 'lexical' },
  dense: { mode: 'dense' },
  hybrid: { mode: 'hybrid' },
  rrf: { mode: 'hybrid', fusion: 'rrf' },
  rerank: { mode: 'hybrid', rerank: true },
  mmr: { mode: 'hybrid', mmr: 0.7 },
};

/**
 * Configurations by name, `lexical,rrf`, and further ones as `name={"mode": "hybrid", "alpha": 0.3}`.
 * @throws Error naming what is unknown or no JSON object.
 */
export function parseConfigurations(names: string, further: readonly string[] = []): Configuration[] {
  const named = names.split(',').map((name) => {
    const fields = known[name];
    if (!fields) throw new Error(`There is no configuration ${name}; known are ${Object.keys(known).join(', ')}.`);
    return { name, fields };
  });
  return [...named, ...further.map(parseFurther)];
}

function parseFurther(flag: string): Configuration {
  const [, name, json] = /^(\w+)=(\{.*\})$/s.exec(flag) ?? [];
  try {
    if (name && json) return { name, fields: JSON.parse(json) as Configuration['fields'] };
  } catch {
    // falls through to the advice
  }
  throw new Error(`--with ${flag}: expected name={"field": value} with the fields of POST /v1/search.`);
}
