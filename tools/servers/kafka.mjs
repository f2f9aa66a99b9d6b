/** Kafka's jars from Maven Central: enough to format a data folder and to run brokers, no installation needed. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const KAFKA = '4.1.1';
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
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return `kafka ${KAFKA} fetched`;
}
