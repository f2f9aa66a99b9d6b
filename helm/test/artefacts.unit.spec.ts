import { describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { processConfig } from '@ragmesh/bootstrap';
import { asyncApiDocument, serviceNames } from '@ragmesh/contracts';
import { parse } from 'yaml';
import { unknownNames } from '../../deploy/observability/promql/unknown-names.js';
import { chartArtefacts } from '../tooling/artefacts.js';
import { configOf, namesOf, traitsOfServices } from '../tooling/service-traits.js';

const read = (path: string): string => readFileSync(path, 'utf8');

interface Chart {
  readonly name: string;
  readonly type: string;
  readonly version: string;
  readonly dependencies: readonly { readonly name: string; readonly repository: string; readonly condition?: string }[];
}

describe('the charts', () => {
  it('say what code and values say: schemas, READMEs and the catalogue are fresh', async () => {
    const artefacts = await chartArtefacts('.');
    const stale = [...artefacts].filter(([path, content]) => !existsSync(path) || read(path) !== content);
    expect(stale.map(([path]) => path)).toEqual([]); // run "npm run docs"
  });

  it('are one library, one for every service, and one that has them all', () => {
    const library = parse(read('helm/ragmesh-common/Chart.yaml')) as Chart;
    expect(library.type).toBe('library');
    for (const service of serviceNames) {
      const chart = parse(read(`helm/${service}/Chart.yaml`)) as Chart;
      expect(chart).toMatchObject({ name: service, type: 'application' });
      expect(chart.version).toMatch(/^\d+\.\d+\.\d+$/);
      expect(chart.dependencies.map(({ name }) => name)).toEqual(['ragmesh-common']);
    }
    const { dependencies } = parse(read('helm/ragmesh/Chart.yaml')) as Chart;
    expect(dependencies.map(({ name }) => name).toSorted()).toEqual([...serviceNames, 'ragmesh-common'].toSorted());
    for (const { name, repository, condition } of dependencies) {
      expect(repository).toBe(`file://../${name}`);
      if (name !== 'ragmesh-common') expect(condition).toBe(`${name}.enabled`);
    }
  });

  it('name in templates only variables that the code reads', async () => {
    const names = new Set((await Promise.all(serviceNames.map(configOf))).flatMap(namesOf));
    const known = new Set([...names, ...namesOf(processConfig)]);
    const templates = readdirSync('helm/ragmesh-common/templates').filter((file) => file !== '_catalogue.tpl');
    const text = templates.map((file) => read(`helm/ragmesh-common/templates/${file}`)).join('\n');
    const variables = [...text.matchAll(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g)].map(([name]) => name);
    const parts = ['_GRPC_ADDRESS', 'GRPC_TLS_']; // of names that templates put together
    const unknown = variables.filter((name) => !known.has(name) && !parts.some((part) => name.includes(part)));
    expect([...new Set(unknown)]).toEqual([]);
    for (const name of ['GRPC_TLS_CERT_FILE', 'GRPC_TLS_KEY_FILE', 'GRPC_TLS_CA_FILE']) expect(known).toContain(name);
  });

  it('give every process what it cannot start without', () => {
    const required = Object.entries(processConfig.variables)
      .filter(([, { spec }]) => !spec.isOptional && spec.fallback === undefined)
      .map(([name]) => name);
    const environment = read('helm/ragmesh-common/templates/_environment.tpl');
    for (const name of required) expect(environment).toContain(`"${name}"`);
  });

  it('give pods the time that the code takes to stop', () => {
    const [, seconds] = /LAST_STEPS_MS = (\d+)_000/.exec(read('libs/bootstrap/src/run-service.ts'))!;
    const [, added] = /deadlineSeconds (\d+) -/.exec(read('helm/ragmesh-common/templates/_pod.tpl'))!;
    expect(Number(added)).toBeGreaterThanOrEqual(Number(seconds) + 5);
    const values = parse(read('helm/ragmesh-common/values.yaml')) as {
      exports: { installation: { global: { shutdown: { graceSeconds: number; deadlineSeconds: number } } } };
    };
    const { graceSeconds, deadlineSeconds } = values.exports.installation.global.shutdown;
    expect(String(graceSeconds)).toBe(processConfig.variables.SHUTDOWN_GRACE_SECONDS.spec.fallback);
    expect(String(deadlineSeconds)).toBe(processConfig.variables.SHUTDOWN_DEADLINE_SECONDS.spec.fallback);
  });

  it('measure a route by the time that the code lets an answer stream', async () => {
    const { STREAM_TIMEOUT_SECONDS } = (await configOf('gateway')).variables;
    const [, seconds] = /"STREAM_TIMEOUT_SECONDS" \| default (\d+)/.exec(read('helm/ragmesh/templates/routes.yaml'))!;
    expect(seconds).toBe(STREAM_TIMEOUT_SECONDS!.spec.fallback);
  });

  it('use the ports that the code listens on', async () => {
    const pod = read('helm/ragmesh-common/templates/_pod.tpl');
    const { SERVER_PORT } = (await configOf('gateway')).variables;
    expect(pod).toContain(`calls: ${processConfig.variables.GRPC_PORT.spec.fallback}`);
    expect(pod).toContain(`probes: ${processConfig.variables.PROBE_PORT.spec.fallback}`);
    expect(pod).toContain(`http: ${SERVER_PORT!.spec.fallback}`);
  });

  it('scale by a metric, and by labels of it, that the code has', () => {
    const [, written] = /query: (.+)/.exec(read('helm/ragmesh-common/templates/_autoscaling.tpl'))!;
    const query = written!.replaceAll(/\{\{ [^}]+ \}\}/g, 'embedding');
    expect(query).toMatch(/^max\(ragmesh_consumer_lag_seconds\{service="embedding",/);
    const ofOperator = 'namespace="embedding",'; // Prometheus Operator says where a target is, no process does
    expect(query).toContain(ofOperator);
    expect(unknownNames(query.replace(ofOperator, ''))).toEqual([]);
  });

  it('know who calls whom from the code', async () => {
    const traits = await traitsOfServices('.');
    expect(traits.gateway).toMatchObject({ calls: serviceNames.filter((name) => name !== 'gateway'), calledBy: [] });
    expect(traits.retrieval.calls).toEqual(expect.arrayContaining(['embedding', 'vector', 'generation', 'knowledge']));
    expect(traits.embedding.calls).toContain('model');
    expect(traits.model.calledBy).toEqual(['gateway', 'embedding']);
    expect(traits.vector).toMatchObject({ partitions: 6 });
    expect(traits.gateway.partitions).toBe(0);
  });
});

describe('the number of the release', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string };
  const folders = ['libs', 'services'].flatMap((group) => readdirSync(group).map((name) => `${group}/${name}`));
  const packages = folders.filter((folder) => existsSync(`${folder}/package.json`));

  it('is the same wherever it stands', () => {
    const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, { version: string }> };
    for (const folder of packages) {
      const own = (JSON.parse(read(`${folder}/package.json`)) as { version: string }).version;
      expect({ folder, own, locked: lock.packages[folder]!.version }).toEqual({
        folder,
        own: version,
        locked: version,
      });
    }
    expect(lock.packages['']!.version).toBe(version);
    for (const name of [...serviceNames, 'ragmesh'])
      expect((parse(read(`helm/${name}/Chart.yaml`)) as { appVersion: string }).appVersion).toBe(version);
    expect(asyncApiDocument()['info']).toMatchObject({ version });
  });

  it('is that of no release whose data later ones have to open, and its upgrade is described', () => {
    expect(readdirSync('services/standalone/test/releases')).not.toContain(version);
    expect(read('helm/UPGRADING.md')).toContain(`\n## ${version}\n`);
  });
});
