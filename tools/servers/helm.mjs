/**
 * What checks charts: helm, helm-unittest and kubeconform, built by Go, and the schemas of every kind of object the charts make. Go modules
 * and a wheel carry the schemas as their projects publish them; Strimzi's are written by its own generator.
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

const HELM = 'helm.sh/helm/v4/cmd/helm@v4.3.1';
const KUBECONFORM = 'github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0';
const UNITTEST = 'github.com/helm-unittest/helm-unittest@v1.1.2';
const STRIMZI = '1.2.0';
const KUBERNETES = { wheel: 'kubernetes-validate==1.36.0', version: 'v1.34.0' };

/** Which files of which module are the custom resources the charts make. */
const crds = {
  'github.com/prometheus-operator/prometheus-operator@v0.85.0': [
    'example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml',
    'example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml',
  ],
  'github.com/kedacore/keda/v2@v2.21.0': ['config/crd/bases/keda.sh_scaledobjects.yaml'],
  'sigs.k8s.io/gateway-api@v1.6.0': ['config/crd/standard/gateway.networking.k8s.io_httproutes.yaml'],
  'github.com/argoproj/argo-rollouts@v1.10.0': ['manifests/crds/rollout-crd.yaml'],
  'github.com/external-secrets/external-secrets@v1.3.2': ['config/crds/bases/external-secrets.io_externalsecrets.yaml'],
  'istio.io/api@v1.31.1': ['kubernetes/customresourcedefinitions.gen.yaml'],
};

const strimziKinds = { kafkatopics: 'topic.KafkaTopic', kafkausers: 'user.KafkaUser' };

function run(command, args, options = {}) {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    ...options,
  });
  if (error) throw new Error(`helm needs ${command}, which was not found.`);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`);
  return stdout;
}

function requireGo() {
  const [, minor = '0'] = /go1\.(\d+)/.exec(spawnSync('go', ['version'], { encoding: 'utf8' }).stdout ?? '') ?? [];
  if (Number(minor) < 26)
    throw new Error('helm needs Go 1.26 or newer to be built: install it and put it on the PATH.');
}

/** Strimzi's generator is compiled for Java 21, and the default Java may be older. */
function findJava() {
  const homes = existsSync('/usr/lib/jvm') ? readdirSync('/usr/lib/jvm').map((name) => `/usr/lib/jvm/${name}`) : [];
  const candidates = ['java', ...[process.env.JAVA_HOME, ...homes].filter(Boolean).map((home) => `${home}/bin/java`)];
  const found = candidates.find((java) => {
    const [, major = '0'] =
      /version "(\d+)/.exec(spawnSync(java, ['-version'], { encoding: 'utf8' }).stderr ?? '') ?? [];
    return Number(major) >= 21;
  });
  if (!found) throw new Error('helm needs Java 21 or newer for the schemas of Strimzi: install it or set JAVA_HOME.');
  return found;
}

const moduleFolder = (module) => JSON.parse(run('go', ['mod', 'download', '-json', module])).Dir;

/** The module names what replaces its dependencies, which Go heeds only where the module is the one that is built. */
function buildUnittest(bin, fresh) {
  const source = join(fresh, 'helm-unittest');
  cpSync(moduleFolder(UNITTEST), source, { recursive: true });
  run('chmod', ['-R', 'u+w', source]);
  run('go', ['build', '-ldflags=-s -w', '-o', join(bin, 'helm-unittest'), './cmd/helm-unittest'], { cwd: source });
}

function build(home, fresh) {
  const bin = join(home, 'bin');
  mkdirSync(bin);
  const env = { ...process.env, GOBIN: bin };
  for (const program of [KUBECONFORM, HELM]) run('go', ['install', '-ldflags=-s -w', program], { env });
  buildUnittest(bin, fresh);
}

function collectCrds(home, fresh) {
  const folder = join(home, 'crds');
  mkdirSync(folder);
  for (const [module, files] of Object.entries(crds)) {
    const source = moduleFolder(module);
    for (const file of files) copyFileSync(join(source, file), join(folder, file.split('/').at(-1)));
  }
  const jars = ['crd-generator', 'api', 'crd-annotations'].map((artifact) => {
    const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy';
    const coordinates = `-Dartifact=io.strimzi:${artifact}:${STRIMZI}`;
    run('mvn', ['--batch-mode', '-q', goal, coordinates, `-DoutputDirectory=${fresh}`], { cwd: fresh });
    return join(fresh, `${artifact}-${STRIMZI}.jar`);
  });
  const wanted = Object.entries(strimziKinds).map(
    ([name, kind]) => `io.strimzi.api.kafka.model.${kind}=${join(folder, `kafka.strimzi.io_${name}.yaml`)}`,
  );
  run(findJava(), ['-cp', jars.join(':'), 'io.strimzi.crdgenerator.CrdGenerator', '--yaml', ...wanted]);
}

/** Schemas name each other by where they are published; here they lie beside each other. */
function collectSchemas(home, fresh) {
  const download = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--disable-pip-version-check', '--dest', fresh];
  run('python3', [...download, KUBERNETES.wheel]);
  const wheel = readdirSync(fresh).find((name) => name.endsWith('.whl'));
  run('python3', ['-m', 'zipfile', '-e', join(fresh, wheel), join(fresh, 'wheel')]);
  const source = join(fresh, 'wheel/kubernetes_validate/kubernetes-json-schema', `${KUBERNETES.version}-local-strict`);
  const folder = join(home, 'schemas');
  mkdirSync(folder);
  for (const name of readdirSync(source)) {
    const text = readFileSync(join(source, name), 'utf8');
    const { $id: _published, ...schema } = JSON.parse(text.replaceAll('/api/_definitions.json', '_definitions.json'));
    writeFileSync(join(folder, name), JSON.stringify(schema));
  }
}

/**
 * Puts the programs and schemas into `<folder>/helm` unless they are there. The first time takes minutes.
 * @param folder where servers for tests and local meshes lie
 * @returns one line that says what was done
 */
export async function fetchHelm(folder) {
  const home = join(folder, 'helm');
  const stamp = join(home, 'version');
  const wanted = JSON.stringify([HELM, KUBECONFORM, UNITTEST, STRIMZI, KUBERNETES, crds]);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return 'helm is there';
  requireGo();
  const [fresh, built] = [`${home}.${process.pid}`, `${home}.${process.pid}/home`];
  mkdirSync(built, { recursive: true });
  try {
    build(built, fresh);
    collectCrds(built, fresh);
    collectSchemas(built, fresh);
    writeFileSync(join(built, 'version'), wanted);
    rmSync(home, { recursive: true, force: true });
    renameSync(built, home);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return 'helm fetched';
}
