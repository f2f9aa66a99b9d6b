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
 * Configurations by name, and further ones as `name={"mode": "hybrid", "alpha": 0.3}`, each once: a name may be that of a
 * further one.
 * @throws Error naming what is unknown or no JSON object.
 */
export function parseConfigurations(names: readonly string[], further: readonly string[] = []): Configuration[] {
  const own = further.map(parseFurther);
  const others = names.filter((name) => !own.some((one) => one.name === name));
  return [...others.map(knownConfiguration), ...own];
}

function knownConfiguration(name: string): Configuration {
  const fields = known[name];
  if (fields) return { name, fields };
  const all = Object.keys(known).join(', ');
  throw new Error(`There is no configuration ${name}; known are ${all}. Another one: give it by --with.`);
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
