import { createHash } from 'node:crypto';

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly description?: string;
  readonly schema: unknown;
}
type Content = Readonly<Record<string, { readonly schema?: unknown; readonly example?: unknown }>>;
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly [string];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
}
interface Described {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

const style = `
:root{color-scheme:light dark;--line:#8884;--soft:#8882}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{margin-bottom:0}h2{margin-top:2.5rem;border-bottom:1px solid var(--line)}
details{border:1px solid var(--line);border-radius:.4rem;margin:.5rem 0}
details>div{padding:0 1rem 1rem}summary{padding:.5rem 1rem;cursor:pointer}
code,pre{font:14px/1.45 ui-monospace,monospace}b{display:inline-block;min-width:4.5rem;font-family:ui-monospace,monospace}
pre{background:var(--soft);padding:.75rem;border-radius:.4rem;overflow:auto;max-height:24rem}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid var(--line)}
`;
const styleHash = createHash('sha256').update(style).digest('base64');

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escape = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => entities[character]!);
const block = (value: unknown): string =>
  value === undefined ? '' : `<pre>${escape(JSON.stringify(value, null, 2))}</pre>`;

/**
 * The API document as one page without script or anything loaded from elsewhere.
 * @returns the page, and the policy that lets its style through and nothing else.
 */
export function docsPage(document: Readonly<Record<string, unknown>>): { html: string; contentSecurityPolicy: string } {
  const operations = operationsOf(document);
  const info = document['info'] as { title: string; description: string };
  const sections = [...Map.groupBy(operations, ({ operation }) => operation.tags[0])]
    .map(([tag, list]) => `<h2>${escape(tag)}</h2>${list.map(section).join('')}`)
    .join('');
  const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escape(info.title)} API</title><style>${style}</style></head><body><h1>${escape(info.title)}</h1>
<p>${escape(info.description)} As data: <a href="/openapi.json">openapi.json</a>, events: <a href="/asyncapi.json">asyncapi.json</a>.</p>
${sections}</body></html>`;
  return {
    html,
    contentSecurityPolicy: `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  };
}

function operationsOf(document: Readonly<Record<string, unknown>>): Described[] {
  const paths = document['paths'] as Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
}

function section({ method, path, operation }: Described): string {
  const parts = [
    parametersTable(operation.parameters ?? []),
    requestBody(operation.requestBody),
    responsesTable(operation.responses),
  ];
  return `<details id="${escape(operation.operationId)}"><summary><b>${method}</b> <code>${escape(path)}</code> ${escape(operation.summary)}</summary><div>${parts.join('')}</div></details>`;
}

function parametersTable(parameters: readonly Parameter[]): string {
  if (parameters.length === 0) return '';
  const rows = parameters.map(
    ({ name, in: where, description = '', schema }) =>
      `<tr><td><code>${escape(name)}</code></td><td>${escape(where)}</td><td>${escape(description)} <code>${escape(JSON.stringify(schema))}</code></td></tr>`,
  );
  return `<h3>Parameters</h3><table>${rows.join('')}</table>`;
}

function requestBody(body: Operation['requestBody']): string {
  if (!body) return '';
  const types = Object.entries(body.content).map(
    ([type, { schema, example }]) => `<p><code>${escape(type)}</code></p>${block(example)}${block(schema)}`,
  );
  return `<h3>Request</h3>${types.join('')}`;
}

function responsesTable(responses: Operation['responses']): string {
  const rows = Object.entries(responses).map(([status, { description, content = {} }]) => {
    const shapes =
      Number(status) < 400
        ? Object.entries(content).map(([type, { schema }]) => `<p><code>${escape(type)}</code></p>${block(schema)}`)
        : [];
    return `<tr><td><code>${status}</code></td><td>${escape(description)}${shapes.join('')}</td></tr>`;
  });
  return `<h3>Responses</h3><table>${rows.join('')}</table>`;
}
