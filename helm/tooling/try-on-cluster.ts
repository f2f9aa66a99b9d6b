import { spawnSync } from 'node:child_process';
import { parseAllDocuments } from 'yaml';
import { helm } from './chart-programs.js';

/** What is tried, and how. */
export interface ClusterTrial {
  /** Folder of the umbrella with everything it depends on. */
  readonly chart: string;
  readonly values: string;
  /** Whether to wait until all pods are ready: their images must be where the values say. */
  readonly wait: boolean;
  /** Told of every step that went well. */
  say(line: string): void;
}

const release = 'ragmesh';
/** Of its own for every run: one that is being deleted takes nothing. */
const namespace = `ragmesh-chart-test-${process.pid}`;

function kubectl(args: readonly string[], input?: string): string {
  const { status, error, stdout, stderr } = spawnSync('kubectl', args, { encoding: 'utf8', input });
  if (error) throw new Error('kubectl was not found; install it, test:cluster needs it.');
  if (status !== 0) throw new Error(`kubectl ${args.join(' ')} failed:\n${stdout}${stderr}`);
  return stdout;
}

interface PodTemplate {
  readonly metadata: object;
  readonly spec: object;
}

interface Workload {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec?: {
    readonly template?: PodTemplate;
    readonly jobTemplate?: { readonly spec: { readonly template: PodTemplate } };
  };
}

const workloads: readonly string[] = ['Deployment', 'Rollout', 'Job', 'CronJob'];

/** The pods that the workloads of a release would make. */
function podsOf(manifest: string): string[] {
  const objects = parseAllDocuments(manifest).map((document) => document.toJS() as Workload | null);
  return objects.flatMap((object) => {
    if (!object || !workloads.includes(object.kind)) return [];
    const template = (object.spec!.jobTemplate?.spec.template ?? object.spec!.template)!;
    const metadata = { ...template.metadata, name: `try-${object.metadata.name}`, namespace };
    // It is made by the release, which is not ready yet.
    const spec = { ...template.spec, serviceAccountName: 'default' };
    return [JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata, spec })];
  });
}

/**
 * Installs the umbrella on the cluster of `KUBECONFIG`, in a namespace of its own that takes restricted pods only; upgrades it, has it
 * refuse what would lose events, rolls it back and removes it. The namespace is deleted, whatever happens.
 * @throws Error with what the server or helm complained of.
 */
export function tryOnCluster({ chart, values, wait, say }: ClusterTrial): void {
  if (!process.env.KUBECONFIG) throw new Error('Set KUBECONFIG to the cluster on which the charts are to be tried.');
  const target = ['--namespace', namespace];
  const source = [release, chart, ...target, '--values', values, ...(wait ? ['--wait', '--timeout', '10m'] : [])];
  const change = ['--set', 'gateway.config.MAX_CONCURRENT_REQUESTS=64,retrieval.replicas=3'];
  kubectl(['create', 'namespace', namespace]);
  try {
    kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted']);
    const manifest = helm(['template', ...source.filter((arg) => arg !== '--wait')]);
    const pods = podsOf(manifest);
    for (const pod of pods) kubectl(['create', '--dry-run=server', '-f', '-'], pod);
    say(`${pods.length} pods pass the restricted standard`);
    helm(['install', ...source]);
    say(
      `installed: ${
        kubectl(['get', 'deployments', ...target, '-o', 'name'])
          .trim()
          .split('\n').length
      } deployments`,
    );
    helm(['upgrade', ...source, ...change]);
    say('upgraded');
    refusesNewPrefix(source);
    say('refused another topic prefix, because events would be lost');
    helm(['rollback', release, '1', ...target]);
    const replicas = kubectl([
      'get',
      'deployment',
      `${release}-retrieval`,
      ...target,
      '-o',
      'jsonpath={.spec.replicas}',
    ]);
    if (replicas !== '2') throw new Error(`After the rollback retrieval has ${replicas} replicas in place of 2.`);
    say('rolled back');
    helm(['uninstall', release, ...target]);
    const left = kubectl(['get', 'deployments,services,networkpolicies', ...target, '-o', 'name']).trim();
    if (left !== '') throw new Error(`After the removal these are left: ${left}`);
    say('removed');
  } finally {
    kubectl(['delete', 'namespace', namespace, '--wait=false']);
  }
}

function refusesNewPrefix(source: readonly string[]): void {
  try {
    helm(['upgrade', ...source, '--set', 'global.kafka.topicPrefix=other.']);
  } catch (error) {
    if ((error as Error).message.includes('would be lost')) return;
    throw error;
  }
  throw new Error('The charts let the topic prefix change, with which events in old topics are lost.');
}
