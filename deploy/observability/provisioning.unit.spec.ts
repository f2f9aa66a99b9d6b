import { describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { Writable } from 'node:stream';
import { serviceNames } from '@ragmesh/contracts';
import { createLogger } from '@ragmesh/observability';
import { GRAFANA_URL, RUNBOOKS_URL } from './alerts/alert.js';
import { dashboardFiles, rules, text, yaml } from './committed-files.js';
import { targetLabels } from './promql/metric-families.js';

interface Compose {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly command?: readonly string[];
        readonly environment?: Readonly<Record<string, string>>;
        readonly volumes?: readonly string[];
        readonly ports?: readonly string[];
        readonly image?: string;
        readonly depends_on?: Readonly<Record<string, unknown>>;
      }
    >
  >;
  readonly volumes: Readonly<Record<string, null>>;
}

interface Scraping {
  readonly rule_files: readonly string[];
  readonly scrape_configs: readonly {
    readonly job_name: string;
    readonly relabel_configs: readonly { readonly target_label: string }[];
  }[];
}

interface Vector {
  readonly sources?: Readonly<Record<string, object>>;
  readonly transforms?: Readonly<Record<string, { readonly inputs: readonly string[]; readonly source: string }>>;
  readonly sinks: Readonly<
    Record<string, { readonly inputs: readonly string[]; readonly labels?: Readonly<Record<string, string>> }>
  >;
}

const base = yaml<Compose>('docker-compose.dev.yml');
const { prometheus, grafana } = base.services;
/** What a container sees of the repository: place in the container by path from the root. */
const mounts = (volumes: readonly string[]): Map<string, string> =>
  new Map(
    volumes
      .map((volume) => volume.split(':'))
      .filter(([from]) => from!.startsWith('./'))
      .map(([from, to]) => [from!.slice(2), to!]),
  );

describe('Prometheus in compose', () => {
  const config = yaml<Scraping>('deploy/prometheus/prometheus.yml');
  const seen = mounts(prometheus!.volumes!);

  it('loads the rules, keeps exemplars and serves the runbooks where alerts look for them', () => {
    expect(config.rule_files).toEqual(['rules/*.yml']);
    expect(seen.get('deploy/prometheus/prometheus.yml')).toBe('/etc/prometheus/prometheus.yml');
    expect(seen.get('deploy/prometheus/rules')).toBe('/etc/prometheus/rules');
    expect(prometheus!.command).toContain('--enable-feature=exemplar-storage');
    expect(prometheus!.command).toContain(`--web.user-assets=${seen.get('deploy/runbooks')}`);
    expect(RUNBOOKS_URL).toBe(`http://${prometheus!.ports![0]!.split(':').slice(0, 2).join(':')}/user`);
  });

  it('keeps samples for as long as rules look back', () => {
    const [, kept] = /retention\.time=(\d+)d/.exec(prometheus!.command!.join(' ')) ?? [];
    const windows = rules.flatMap(({ expr }) => [...expr.matchAll(/\[(\d+)d\]/g)].map(([, days]) => Number(days)));
    expect(Number(kept)).toBeGreaterThan(Math.max(...windows));
  });

  it('gives targets the labels and the job that rules and dashboards use', () => {
    const [job] = config.scrape_configs;
    expect(targetLabels).toEqual(['job', 'instance', ...job!.relabel_configs.map((rule) => rule.target_label)]);
    const jobs = [...new Set(rules.flatMap(({ expr }) => expr.match(/(?<=job=")\w+/g) ?? []))];
    expect(jobs).toEqual([job!.job_name]);
  });
});

describe('services in compose', () => {
  it('send their traces to a server that is there', () => {
    const endpoints = serviceNames.map((name) => base.services[name]!.environment!.OTEL_EXPORTER_OTLP_ENDPOINT!);
    expect(endpoints.filter((endpoint) => !(new URL(endpoint).hostname in base.services))).toEqual([]);
  });
});

describe('Grafana in compose', () => {
  const seen = mounts(grafana!.volumes!);

  it('finds data sources and dashboards, and opens with one of them', () => {
    const [provider] = yaml<{ providers: { options: { path: string } }[] }>(
      'deploy/grafana/provisioning/dashboards/ragmesh.yml',
    ).providers;
    expect(seen.get('deploy/grafana/dashboards')).toBe(provider!.options.path);
    for (const kind of ['datasources', 'dashboards'])
      expect(seen.get(`deploy/grafana/provisioning/${kind}/ragmesh.yml`)).toBe(
        `/etc/grafana/provisioning/${kind}/ragmesh.yml`,
      );
    const home = grafana!.environment!.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH!;
    expect(dashboardFiles).toContain(home.replace(provider!.options.path, 'deploy/grafana/dashboards'));
  });

  it('lets whoever reaches it, who is on this machine, explore', () => {
    expect(grafana!.environment!.GF_AUTH_ANONYMOUS_ORG_ROLE).toBe('Editor'); // Grafana closes Explore to a Viewer
    expect(grafana!.ports!.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  it('is where alerts say it is', () => {
    expect(GRAFANA_URL).toBe(`http://${grafana!.ports![0]!.split(':').slice(0, 2).join(':')}`);
  });
});

describe('log shipping', () => {
  const folder = 'deploy/logs';
  const overlay = yaml<Compose>(`${folder}/docker-compose.logs.yml`);
  const vector = yaml<Vector>(`${folder}/vector.yaml`);
  const elastic = yaml<Vector>(`${folder}/vector-elasticsearch.yaml`);

  it('adds to compose what there is, in pinned images, without replacing what compose mounts', () => {
    const named = Object.values(overlay.services).flatMap(({ volumes = [] }) => volumes.map((one) => one.split(':')));
    for (const [source, target] of named) {
      if (source === '/var/run/docker.sock') continue;
      expect(source!.startsWith('./') ? existsSync(source!) : source! in overlay.volumes).toBe(true);
      expect([...mounts(grafana!.volumes!).values()]).not.toContain(target);
    }
    const added = Object.entries(overlay.services).filter(([name]) => !(name in base.services));
    expect(added.map(([name]) => name)).toEqual(['loki', 'log-shipper']);
    for (const [, { image }] of added) expect(image).toMatch(/:v?\d+\.\d+\.\d+/);
  });

  it('leads every line from its source to its sink', () => {
    const parts = { ...vector.sources, ...vector.transforms, ...elastic.transforms };
    const inputs = [vector, elastic].flatMap(({ transforms = {}, sinks }) =>
      [...Object.values(transforms), ...Object.values(sinks)].flatMap((part) => part.inputs),
    );
    expect([...new Set(inputs)].toSorted()).toEqual(Object.keys(parts).toSorted());
  });

  it('reads fields that lines have, and labels streams by few values only', () => {
    let line = '';
    const destination = new Writable({ write: (chunk, _encoding, done) => done(void (line += String(chunk))) });
    createLogger('vector', 'info', destination).info('A line');
    const fields = Object.keys(JSON.parse(line) as object);
    const read = [...vector.transforms!.ragmesh_lines!.source.matchAll(/\bline\.(\w+)/g)].map(([, name]) => name!);
    expect([...new Set(read)].filter((name) => !fields.includes(name))).toEqual([]);
    expect(vector.sinks.loki!.labels).toEqual({ service: '{{ service }}', level: '{{ level }}' });
  });

  it('is described: every file in the README', () => {
    const files = [...text(`${folder}/README.md`).matchAll(/^\| `([\w.-]+)`/gm)].map(([, name]) => name!);
    expect(files.filter((name) => !existsSync(`${folder}/${name}`))).toEqual([]);
    expect(files).toHaveLength(4);
  });
});
