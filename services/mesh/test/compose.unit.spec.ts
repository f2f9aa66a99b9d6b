import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { checkConfiguration, meshVariableNames, processConfig } from '@ragmesh/bootstrap';
import type { AnyConfigDefinition } from '@ragmesh/config';
import { serviceNames, type ServiceName } from '@ragmesh/contracts';
import { parse } from 'yaml';

interface ComposeService {
  readonly build?: { readonly dockerfile: string; readonly args: { readonly SERVICE: string } };
  readonly image?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: object;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly read_only?: boolean;
  readonly restart?: string;
}

const written = readFileSync('docker-compose.dev.yml', 'utf8');
/** As compose does: `${NAME:-default}` is the default when the shell has no such name. */
const text = written.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');
const compose = parse(text, { merge: true }) as {
  services: Readonly<Record<string, ComposeService>>;
  volumes: Readonly<Record<string, null>>;
};
const servers = ['kafka', 'postgres', 'redis', 'qdrant', 'seaweedfs', 'prometheus', 'grafana', 'jaeger'];
/** Runs once and ends. */
const preparations = ['seaweedfs-bucket'];

async function configOf(service: ServiceName): Promise<AnyConfigDefinition> {
  const module = (await import(`../../${service}/src/${service}.config.js`)) as Record<string, AnyConfigDefinition>;
  return module[`${service}Config`]!;
}

describe('docker-compose.dev.yml', () => {
  it('runs the eight services and every server they use', () => {
    expect(Object.keys(compose.services).toSorted()).toEqual([...serviceNames, ...servers, ...preparations].toSorted());
  });

  it.each(serviceNames)(
    'builds %s from the one Dockerfile, read-only, and gives it only what it reads',
    async (name) => {
      const { build, environment = {}, read_only } = compose.services[name]!;
      expect(existsSync(build!.dockerfile)).toBe(true);
      expect(build!.args).toEqual({ SERVICE: name });
      expect(read_only).toBe(true);
      const known = [processConfig, await configOf(name)].flatMap(({ variables }) => Object.keys(variables));
      expect(Object.keys(environment).filter((variable) => !known.includes(variable))).toEqual([]);
      checkConfiguration([processConfig, await configOf(name)], environment);
    },
  );

  it('says how to turn authentication on with a key that whoever does it knows afterwards', () => {
    const [, lines = ''] = /^# With it[^]*?\n((?:#   .*\n)+)/m.exec(written) ?? [];
    const standIns = 'openssl() { echo 0123456789; }\ndocker() { echo "docker $* $(printenv AUTH_MODE)"; }\n';
    const script = `${standIns}${lines.replaceAll(/^# +/gm, '')}echo "key $RAGMESH_BOOTSTRAP_KEY"`;
    const { stdout } = spawnSync('sh', ['-c', script], { encoding: 'utf8', env: { PATH: process.env['PATH'] } });
    expect(stdout).toMatch(/^docker compose -f docker-compose\.dev\.yml up .*keys\nkey rgm_first_0123456789\n$/);
  });

  it('waits for what is healthy, and everything that is waited for can tell', () => {
    for (const { depends_on = {} } of Object.values(compose.services)) {
      for (const [name, { condition }] of Object.entries(depends_on)) {
        const { healthcheck, build, restart } = compose.services[name]!;
        expect(condition).toBe(preparations.includes(name) ? 'service_completed_successfully' : 'service_healthy');
        if (preparations.includes(name)) expect(restart).toBe('on-failure');
        else expect(healthcheck ?? build).toBeDefined(); // the Dockerfile has the check of the services
      }
    }
  });

  it('gives every service that can use it the cache', async () => {
    for (const name of serviceNames) {
      const { environment = {}, depends_on = {} } = compose.services[name]!;
      const reads = 'REDIS_URL' in (await configOf(name)).variables;
      expect({ name, url: 'REDIS_URL' in environment, waits: 'redis' in depends_on }).toEqual({
        name,
        url: reads,
        waits: reads,
      });
    }
  });

  it('has embedding find downloaded models where model keeps them', () => {
    expect(compose.services['model']!.volumes).toEqual(['model-data:/data']);
    expect(compose.services['embedding']!.volumes).toEqual(['model-data:/data:ro']);
    expect(compose.services['model']!.environment).not.toHaveProperty('MODEL_CACHE_DIR');
  });

  it('runs Kafka without ZooKeeper, and has it make no topic by itself', () => {
    const { environment } = compose.services['kafka']!;
    expect(environment).toMatchObject({
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_CONTROLLER_QUORUM_VOTERS: `${environment!['KAFKA_NODE_ID']}@kafka:9093`,
      KAFKA_LISTENERS: expect.stringContaining(`${environment!['KAFKA_CONTROLLER_LISTENER_NAMES']}://:9093`),
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
    });
  });

  it('publishes ports on loopback only and mounts only what there is', () => {
    for (const { ports = [], volumes = [] } of Object.values(compose.services)) {
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
      for (const [source] of volumes.map((volume) => volume.split(':')))
        expect(source!.startsWith('.') ? existsSync(source!) : source! in compose.volumes).toBe(true);
    }
  });
});

describe('service.Dockerfile', () => {
  const lines = readFileSync('deploy/docker/service.Dockerfile', 'utf8').replaceAll('\\\n', ' ').split('\n');
  const instructions = lines.filter((line) => /^[A-Z]/.test(line));
  const image = instructions.slice(instructions.findLastIndex((line) => line.startsWith('FROM ')));

  it('ends in a stage of its own that holds only the tree of the service', () => {
    expect(instructions.filter((line) => line.startsWith('FROM '))).toHaveLength(2);
    expect(image.filter((line) => /^(COPY|ADD) /.test(line))).toEqual(['COPY --from=build /image .']);
  });

  it('carries the native code of the platform that it is built for', () => {
    for (const name of ['TARGETOS', 'TARGETARCH']) {
      const declared = instructions.filter((line) => line.startsWith(`ARG ${name}`));
      expect(declared).toEqual([`ARG ${name}`]); // a default would hide the builder's own value
    }
  });

  it('runs as an ordinary user, by number so that Kubernetes can tell, and signals reach the service itself', () => {
    expect(image.findLast((line) => line.startsWith('USER '))).toBe('USER 1000:1000');
    expect(image.at(-1)).toMatch(/^ENTRYPOINT \["node", .*"main\.js"\]$/);
    expect(image.some((line) => line.startsWith('HEALTHCHECK '))).toBe(true);
  });

  it('is given what the build reads, and no output, dependency or secret of this machine', () => {
    const [first, ...rules] = readFileSync('.dockerignore', 'utf8').trim().split('\n');
    expect(first).toBe('**');
    for (const rule of rules.filter((line) => line.startsWith('!'))) expect(existsSync(rule.slice(1))).toBe(true);
    expect(rules).toEqual(
      expect.arrayContaining(['!libs', '!services', '!proto', '!tools', '!.swcrc', '**/dist', '**/node_modules']),
    );
    expect(rules.join()).not.toContain('.env');
  });
});

describe('what stands around the mesh', () => {
  it('has Prometheus ask every service', () => {
    const { scrape_configs: jobs } = parse(readFileSync('deploy/prometheus/prometheus.yml', 'utf8')) as {
      scrape_configs: { dns_sd_configs: { names: string[]; port: number }[] }[];
    };
    expect(jobs[0]!.dns_sd_configs[0]!.names.toSorted()).toEqual([...serviceNames].toSorted());
    expect(String(jobs[0]!.dns_sd_configs[0]!.port)).toBe(processConfig.variables.PROBE_PORT.spec.fallback);
  });

  it('lets one .env serve all services: every name of any of them is known to each', async () => {
    const definitions = [processConfig, ...(await Promise.all(serviceNames.map(configOf)))];
    const names = definitions.flatMap(({ variables }) => Object.keys(variables));
    const own = [...new Set(names.filter((name) => /^(RAGMESH|APP)_/.test(name)))].toSorted();
    expect([...meshVariableNames].toSorted()).toEqual(own);
  });
});
