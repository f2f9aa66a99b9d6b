import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWithServer } from '@ragmesh/testing';
import { parseAllDocuments } from 'yaml';
import { assembleCharts, installableCharts } from '../tooling/assemble-charts.js';
import { helmFolder, run } from '../tooling/chart-programs.js';
import { writeCustomResourceSchemas } from '../tooling/custom-resource-schemas.js';

const valueFiles = readdirSync('helm/ragmesh/ci');
const customKinds = [
  'ExternalSecret',
  'HTTPRoute',
  'KafkaTopic',
  'KafkaUser',
  'PeerAuthentication',
  'PrometheusRule',
  'Rollout',
  'ScaledObject',
  'ServiceMonitor',
];
/** What has no default, because only whoever installs a chart can know it. */
const needed: Readonly<Record<string, string>> = {
  document: ',config.S3_BUCKET=files',
  vector: ',config.QDRANT_URL=http://qdrant:6333',
  ragmesh: ',document.config.S3_BUCKET=files,vector.config.QDRANT_URL=http://qdrant:6333',
};

interface KubernetesObject {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

describeWithServer('helm', 'the charts', () => {
  let folder: string;
  let charts: string;
  const rendered = (file: string): string => join(folder, file);

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ragmesh-charts-'));
    charts = join(folder, 'charts');
    assembleCharts('.', charts);
    writeCustomResourceSchemas(join(helmFolder, 'crds'), join(folder, 'schemas'), customKinds);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(installableCharts)('pass helm lint --strict: %s', async (name) => {
    const values = `global.database.existingSecret=db,global.serviceAuth.existingSecret=keys${needed[name] ?? ''}`;
    const { stdout, stderr } = await run('helm', ['lint', '--strict', '--set', values, join(charts, name)]);
    expect(stdout + stderr).toContain('1 chart(s) linted, 0 chart(s) failed');
  });

  it('are rendered for every kind of installation, no object twice', async () => {
    expect(valueFiles.length).toBeGreaterThanOrEqual(6);
    for (const file of valueFiles) {
      const args = [
        'template',
        'rm',
        join(charts, 'ragmesh'),
        '--namespace',
        'rag',
        '--values',
        `helm/ragmesh/ci/${file}`,
      ];
      const { code, stdout, stderr } = await run('helm', args);
      expect({ file, code, stderr }).toEqual({ file, code: 0, stderr: '' });
      writeFileSync(rendered(file), stdout);
      const objects = parseAllDocuments(stdout).map((document) => document.toJS() as KubernetesObject | null);
      const names = objects.flatMap((object) => (object ? [`${object.kind} ${object.metadata.name}`] : []));
      expect(names).toEqual([...new Set(names)]);
    }
  });

  it('make what the schemas of Kubernetes and of its operators allow', async () => {
    const locations = [
      join(helmFolder, 'schemas', '{{.ResourceKind}}{{.KindSuffix}}.json'),
      join(folder, 'schemas', '{{.ResourceKind}}-{{.Group}}-{{.ResourceAPIVersion}}.json'),
    ].flatMap((location) => ['-schema-location', location]);
    const files = valueFiles.map(rendered);
    const { code, stdout } = await run('kubeconform', ['-strict', '-summary', ...locations, ...files]);
    expect(stdout).toMatch(/Invalid: 0, Errors: 0, Skipped: 0/);
    expect(code).toBe(0);
    const text = files.map((file) => readFileSync(file, 'utf8')).join('\n');
    for (const kind of customKinds) expect(text).toContain(`kind: ${kind}\n`);
  });

  it('would notice a field that no schema has', async () => {
    const broken = readFileSync(rendered('minimal-values.yaml'), 'utf8').replace(
      'revisionHistoryLimit',
      'revisionLimit',
    );
    writeFileSync(rendered('broken.yaml'), broken);
    const location = join(helmFolder, 'schemas', '{{.ResourceKind}}{{.KindSuffix}}.json');
    const { stdout } = await run('kubeconform', ['-strict', '-schema-location', location, rendered('broken.yaml')]);
    expect(stdout).toMatch(/Deployment rm-\w+ is invalid.*revisionLimit/);
  });

  it('pass their suites', async () => {
    const withSuites = installableCharts.filter((name) => readdirSync(join(charts, name)).includes('tests'));
    const paths = withSuites.map((name) => join(charts, name));
    const { code, stdout } = await run('helm-unittest', ['--strict', '-f', 'tests/*_test.yaml', ...paths]);
    expect({ code, report: code === 0 ? '' : stdout }).toEqual({ code: 0, report: '' });
  });
});
