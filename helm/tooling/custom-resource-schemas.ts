import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { JsonSchema } from './environment-schema.js';

interface CustomResourceDefinition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly schema?: { readonly openAPIV3Schema: JsonSchema } }[];
  };
}

const isObject = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** As a server with strict field validation reads it: an object takes the properties it names and no others. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (!isObject(schema)) return schema;
  const { 'x-kubernetes-int-or-string': isIntOrString, ...rest } = schema;
  if (isIntOrString) return { type: ['integer', 'string'] };
  const copy = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, strict(value)]));
  const isOpen = 'additionalProperties' in copy || copy['x-kubernetes-preserve-unknown-fields'] === true;
  return isObject(schema.properties) && schema.type === 'object' && !isOpen
    ? { ...copy, additionalProperties: false }
    : copy;
}

/**
 * Writes a schema for each version of each custom resource below `from` as kubeconform looks for it: `<kind>-<group>-<version>.json`.
 * @param kinds only these, because some files have hundreds.
 */
export function writeCustomResourceSchemas(from: string, to: string, kinds: readonly string[]): void {
  mkdirSync(to, { recursive: true });
  const named = new RegExp(`\\bkind: "?(${kinds.join('|')})\\b`);
  for (const file of readdirSync(from)) {
    const documents = readFileSync(join(from, file), 'utf8')
      .split(/^---$/m)
      .filter((text) => named.test(text));
    for (const document of parseAllDocuments(documents.join('\n---\n'))) {
      const definition = (document as { toJS(): unknown }).toJS() as CustomResourceDefinition | null;
      if (definition && kinds.includes(definition.spec.names.kind)) writeVersions(definition, to);
    }
  }
}

function writeVersions({ spec }: CustomResourceDefinition, to: string): void {
  for (const { name, schema } of spec.versions) {
    const path = join(to, `${spec.names.kind}-${spec.group}-${name}.json`.toLowerCase());
    if (schema) writeFileSync(path, JSON.stringify(resource(strict(schema.openAPIV3Schema) as JsonSchema)));
  }
}

/** What every resource has, whether its definition says so or not. */
const resource = (schema: JsonSchema): JsonSchema => ({
  ...schema,
  properties: {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { type: 'object' },
    ...(schema.properties as JsonSchema),
  },
});
