/** Kafka's jars from Maven Central: enough to format a data folder and to run brokers, no installation needed. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const KAFKA = '4.1.1';
/** Any id will do for a broker that is thrown away. */
const CLUSTER = 'MkU3OEVBNTcwNTJENDM2Qg';
const ARCHIVED_WITHIN_MS = 120_000;
const artifacts = [
  { groupId: 'org.apache.kafka', artifactId: 'kafka_2.13', version: KAFKA },
  { groupId: 'org.slf4j', artifactId: 'slf4j-simple', version: '1.7.36' },
];

const dependency = ({ groupId, artifactId, version }) =>
  `<dependency><groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version></dependency>`;

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>ragmesh</groupId><artifactId>kafka-jars</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>${artifacts.map(dependency).join('')}</dependencies>
</project>
`;

function requireCommand(command, versionFlag, advice) {
  if (spawnSync(command, [versionFlag], { stdio: 'ignore' }).status === 0) return;
  throw new Error(`Kafka needs ${command}, which was not found: ${advice}.`);
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** A broker of its own, with nothing in it. */
async function settingsIn(folder) {
  const [plain, controller] = [await freePort(), await freePort()];
  const file = join(folder, 'server.properties');
  const lines = [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${controller}`,
    'controller.listener.names=CONTROLLER',
    `listeners=PLAINTEXT://127.0.0.1:${plain},CONTROLLER://127.0.0.1:${controller}`,
    `log.dirs=${folder}/log`,
  ];
  writeFileSync(file, lines.join('\n'));
  return file;
}

/**
 * Keeps the classes a broker loads in a form Java maps instead of reading: what a start takes of the processor is halved by it.
 * @returns whether there is such an archive now; brokers start without one, too
 */
async function archiveClasses(home) {
  const folder = mkdtempSync(join(tmpdir(), 'kafka-classes-'));
  try {
    const settings = await settingsIn(folder);
    const java = ['-XX:+UseSerialGC', '-cp', join(home, 'lib', '*')];
    const format = ['kafka.tools.StorageTool', 'format', '-t', CLUSTER, '-c', settings];
    if (spawnSync('java', [...java, ...format], { stdio: 'ignore' }).status !== 0) return false;
    const archive = join(home, 'classes.jsa');
    const broker = spawn('java', [`-XX:ArchiveClassesAtExit=${archive}`, ...java, 'kafka.Kafka', settings]);
    const ended = once(broker, 'exit');
    const late = setTimeout(() => broker.kill('SIGKILL'), ARCHIVED_WITHIN_MS);
    let said = '';
    for (const stream of [broker.stdout, broker.stderr])
      stream.on('data', (more) => (said += more).includes('Kafka Server started') && broker.kill());
    await ended;
    clearTimeout(late);
    return existsSync(archive);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Puts the jars into `<folder>/kafka` unless they are there.
 * @param folder where servers for tests and local meshes lie
 * @returns one line that says what was done
 */
export async function fetchKafka(folder) {
  const home = join(folder, 'kafka');
  const stamp = join(home, 'version');
  const wanted = artifacts.map(({ artifactId, version }) => `${artifactId} ${version}`).join(', ');
  requireCommand('java', '-version', 'install Java 17 or newer (Debian: openjdk-17-jre-headless)');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return `kafka ${KAFKA} is there`;
  requireCommand('mvn', '-v', 'install Maven (Debian: maven)');
  const fresh = `${home}.${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  try {
    writeFileSync(join(fresh, 'pom.xml'), pom);
    const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
    const options = ['--batch-mode', '--no-transfer-progress', '-q', `-DoutputDirectory=${join(fresh, 'lib')}`];
    const { status, stdout, stderr } = spawnSync('mvn', [...options, '-f', join(fresh, 'pom.xml'), goal], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`Maven could not fetch Kafka ${KAFKA}:\n${stdout}${stderr}`);
    writeFileSync(join(fresh, 'version'), wanted);
    rmSync(home, { recursive: true, force: true });
    renameSync(fresh, home);
    if (!(await archiveClasses(home)))
      return `kafka ${KAFKA} fetched; its brokers start slower, Java keeps no classes here`;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return `kafka ${KAFKA} fetched`;
}
