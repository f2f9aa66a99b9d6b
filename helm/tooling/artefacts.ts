import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { processConfig } from '@ragmesh/bootstrap';
import type { AnyConfigDefinition } from '@ragmesh/config';
import { serviceNames, type ServiceName } from '@ragmesh/contracts';
import { parse } from 'yaml';
import { catalogueTemplate } from './catalogue-template.js';
import { chartReadme } from './chart-readme.js';
import { below, documentedValues, overlay, type DocumentedValue } from './documented-values.js';
import { configSchema, secretConfigSchema, type JsonSchema } from './environment-schema.js';
import { schemaRules } from './schema-rules.js';
import { configOf, traitsOfServices } from './service-traits.js';
import { valuesSchema } from './values-schema.js';

const open: JsonSchema = { type: 'object' };
const json = (schema: JsonSchema): string => `${JSON.stringify(schema, undefined, 2)}\n`;

/** Everything of the charts that follows from the code or from their values: path below the root → content. */
export async function chartArtefacts(root: string): Promise<Map<string, string>> {
  const read = (path: string): string => readFileSync(join(root, 'helm', path), 'utf8');
  const common = documentedValues(read('ragmesh-common/values.yaml'));
  const installation = below('exports.installation', common);
  const configs = await Promise.all(serviceNames.map(configOf));
  const all = [processConfig, ...configs];
  const globalRules = { ...schemaRules, ...environmentRules('global.', all) };
  const files = new Map<string, string>();
  files.set('helm/ragmesh-common/templates/_catalogue.tpl', catalogueTemplate(await traitsOfServices(root)));

  const addChart = async (name: string, values: DocumentedValue[], rules: typeof globalRules, further: object) => {
    const { version, description } = parse(read(`${name}/Chart.yaml`)) as { version: string; description: string };
    const schema = valuesSchema(values, rules, { ...further, 'ragmesh-common': open });
    if (name !== 'ragmesh-common') files.set(`helm/${name}/values.schema.json`, json(schema));
    const text = name in texts ? texts[name]! : textOfService(name);
    files.set(`helm/${name}/README.md`, await chartReadme({ name, version, description, text, values }));
  };

  for (const [index, service] of serviceNames.entries()) {
    const imported = [...below('exports.service', common), ...installation];
    const values = overlay(documentedValues(read(`${service}/values.yaml`)), imported);
    const rules = { ...globalRules, ...environmentRules('', [processConfig, configs[index]!]) };
    await addChart(service, values, rules, { enabled: { type: 'boolean' } });
  }
  const own = documentedValues(read('ragmesh/values.yaml'));
  const services = Object.fromEntries(serviceNames.map((name) => [name, enabled(own, name)]));
  await addChart('ragmesh', overlay(own, installation), globalRules, services);
  await addChart('ragmesh-common', overlay([], common), {}, {});
  return files;
}

const environmentRules = (prefix: string, definitions: readonly AnyConfigDefinition[]): Record<string, JsonSchema> => ({
  [`${prefix}config`]: configSchema(definitions),
  [`${prefix}secretConfig`]: secretConfigSchema(definitions),
});

/** The service's own chart checks what else stands below its name. */
const enabled = (values: readonly DocumentedValue[], service: ServiceName): JsonSchema => ({
  type: 'object',
  description: `Values of the chart ${service}.`,
  properties: {
    enabled: { type: 'boolean', description: values.find(({ path }) => path === `${service}.enabled`)!.description },
  },
});

const textOfService = (service: string): string => `
Made to be installed by the umbrella \`ragmesh\`, and on its own for teams that release services one by one:

\`\`\`
helm upgrade --install ${service} oci://registry.example.com/charts/${service} --values values.yaml
\`\`\`

All releases of one mesh need the same \`global\` values, \`global.namePrefix\` above all, and one namespace. What may stand in \`config\` and
\`secretConfig\` is described in \`services/${service}/CONFIGURATION.md\`.`;

const texts: Readonly<Record<string, string>> = {
  'ragmesh-common': `
A library: it makes every object of a service, and the charts of the services include it with one line. \`templates/_catalogue.tpl\` is made
from the code: which variables a service reads, whom it calls, which topics it reads and writes. Network policies, addresses, Kafka users and
topics follow from it, so a chart cannot forget an edge that the code has.`,
  ragmesh: `
\`\`\`
kubectl create namespace ragmesh
kubectl --namespace ragmesh create secret generic ragmesh-database --from-literal=url=postgresql://user:password@host:5432/
kubectl --namespace ragmesh create secret generic ragmesh-services --from-literal=key=$(openssl rand -hex 32)
kubectl --namespace ragmesh create secret generic ragmesh-bootstrap --from-literal=key=rgm_first_$(openssl rand -hex 32)
helm upgrade --install ragmesh oci://registry.example.com/charts/ragmesh --namespace ragmesh --values values.yaml
\`\`\`

with \`values.yaml\` such as \`ci/minimal-values.yaml\`; \`ci/production-values.yaml\` and its neighbours show the rest. No chart brings a
database: PostgreSQL, Kafka, Redis, Qdrant and S3 are yours, run by their operators or bought, and are named by \`existingSecret\`.

The gateway asks for a key, and in a new installation there is none but \`RAGMESH_BOOTSTRAP_KEY\`, the last of these secrets: with it you make
the keys that people and programs use (\`POST /v1/admin/keys\`), and then you may take it out of \`gateway.secretConfig\`. Whoever has one of
an identity provider sets \`gateway.config.AUTH_MODE\` to \`jwt\` instead.

What a service takes (\`gateway.replicas\`, \`embedding.config\`, …) stands in the README of its chart. Sizes are in \`../SIZING.md\`, what changes
between versions in \`../UPGRADING.md\`.`,
};
