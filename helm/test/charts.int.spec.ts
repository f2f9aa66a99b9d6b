import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serviceNames } from '@ragmesh/contracts';
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

type Labels = Readonly<Record<string, string>>;

interface PodTemplate {
  readonly metadata: { readonly labels: Labels; readonly annotations?: Labels };
  readonly spec: {
    readonly securityContext: object;
    readonly automountServiceAccountToken: boolean;
    readonly topologySpreadConstraints: readonly object[];
    readonly containers: readonly object[];
  };
}

interface KubernetesObject {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec?: {
    readonly podSelector?: { readonly matchLabels: Labels };
    readonly selector?: { readonly matchLabels: Labels };
    readonly template?: PodTemplate;
    readonly jobTemplate?: { readonly spec: { readonly template: PodTemplate } };
  };
}

const objectsIn = (text: string): KubernetesObject[] =>
  parseAllDocuments(text)
    .map((document) => document.toJS() as KubernetesObject | null)
    .filter((object) => object !== null);

const probe = (path: string) => expect.objectContaining({ httpGet: { path, port: 'probes' } });

/** What the restricted standard asks of every pod, and a root file system that nothing is written to. */
const restrictedContainer = {
  securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
};
const restrictedPod = {
  automountServiceAccountToken: false,
  securityContext: expect.objectContaining({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } }),
};

/** What the pod of every service must be, whichever service it is. */
const carefulPod = (labels: Labels) => ({
  ...restrictedPod,
  topologySpreadConstraints: ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'].map((topologyKey) =>
    expect.objectContaining({ topologyKey, labelSelector: { matchLabels: labels } }),
  ),
  containers: [
    expect.objectContaining({
      ...restrictedContainer,
      ...{ startupProbe: probe('/healthz'), livenessProbe: probe('/healthz'), readinessProbe: probe('/readyz') },
    }),
  ],
});

describeWithServer('helm', 'the charts', () => {
  let folder: string;
  let charts: string;
  const rendered = (file: string): string => join(folder, file);
  const template = (file: string, ...more: string[]): ReturnType<typeof run> => {
    const values = ['--namespace', 'rag', '--values', `helm/ragmesh/ci/${file}`, ...more];
    return run('helm', ['template', 'rm', join(charts, 'ragmesh'), ...values]);
  };

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
      const { code, stdout, stderr } = await template(file);
      expect({ file, code, stderr }).toEqual({ file, code: 0, stderr: '' });
      writeFileSync(rendered(file), stdout);
      const names = objectsIn(stdout).map((object) => `${object.kind} ${object.metadata.name}`);
      expect(names).toEqual([...new Set(names)]);
    }
  });

  it('give every one of the eight services a restricted pod with three probes, spread out and drained one by one', () => {
    const objects = objectsIn(readFileSync(rendered('production-values.yaml'), 'utf8'));
    const deployments = objects.filter(({ kind }) => kind === 'Deployment');
    expect(deployments.map(({ metadata }) => metadata.name).toSorted()).toEqual(
      serviceNames.map((name) => `rm-${name}`).toSorted(),
    );
    for (const { metadata, spec } of deployments) {
      const labels = spec!.selector!.matchLabels;
      expect({ name: metadata.name, pod: spec!.template!.spec }).toEqual({
        name: metadata.name,
        pod: expect.objectContaining(carefulPod(labels)),
      });
      const budgets = objects.filter(
        (one) => one.kind === 'PodDisruptionBudget' && one.metadata.name === metadata.name,
      );
      expect(budgets.map((budget) => budget.spec)).toEqual([
        expect.objectContaining({ maxUnavailable: 1, selector: { matchLabels: labels } }),
      ]);
    }
  });

  it('deny by default what no policy allows to every pod that they make, and restrict it', () => {
    const objects = objectsIn(readFileSync(rendered('production-values.yaml'), 'utf8'));
    const { matchLabels } = objects.find(({ metadata }) => metadata.name === 'rm-default-deny')!.spec!.podSelector!;
    expect(matchLabels).toEqual({ 'app.kubernetes.io/part-of': 'ragmesh', 'app.kubernetes.io/instance': 'rm' });
    const pods = objects.flatMap(({ kind, metadata, spec }) => {
      const made = spec?.jobTemplate?.spec.template ?? spec?.template;
      return made ? [{ pod: `${kind} ${metadata.name}`, labels: made.metadata.labels, spec: made.spec }] : [];
    });
    expect(pods.map(({ pod }) => pod)).toEqual(
      expect.arrayContaining(['CronJob rm-backup', 'Job rm-document-topics', 'Job rm-gateway-migrate']),
    );
    const restricted = ({ containers }: PodTemplate['spec']) =>
      expect.objectContaining({
        ...restrictedPod,
        containers: containers.map(() => expect.objectContaining(restrictedContainer)),
      });
    expect(pods).toEqual(
      pods.map(({ pod, spec }) => ({ pod, labels: expect.objectContaining(matchLabels), spec: restricted(spec) })),
    );
  });

  it('replace the pods of a service whose settings change, and no others', async () => {
    const sums = (text: string) =>
      objectsIn(text)
        .filter(({ kind }) => kind === 'Deployment')
        .map(({ metadata, spec }) => [metadata.name, spec!.template!.metadata.annotations!['checksum/config']]);
    const before = sums(readFileSync(rendered('minimal-values.yaml'), 'utf8'));
    const change = 'gateway.config.MAX_CONCURRENT_REQUESTS=64';
    const after = sums((await template('minimal-values.yaml', '--set', change)).stdout);
    const changed = after.filter((sum, index) => sum[1] !== before[index]![1]);
    expect(changed).toEqual([['rm-gateway', expect.stringMatching(/^[0-9a-f]{64}$/)]]);
    expect(after).toHaveLength(serviceNames.length);
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
