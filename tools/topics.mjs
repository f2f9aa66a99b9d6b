/**
 * `npm run topics -- diff`: says where the cluster's topics differ from the catalogue, and exits with 1 when they do.
 * `npm run topics -- apply`: creates what is missing, adds partitions and sets retention; nothing is ever removed.
 * The cluster is that of `KAFKA_BROKERS`, with `KAFKA_TLS*`, `KAFKA_SASL_*` and `RAGMESH_TOPIC_PREFIX` as for the services.
 */
import {
  bool,
  defineConfig,
  loadConfig,
  oneOf,
  readEnvironment,
  readTlsFiles,
  secret,
  string,
  tlsFileVariables,
} from '@ragmesh/config';
import { topicSpecs } from '@ragmesh/contracts';
import { KafkaBusDriver } from '@ragmesh/messaging';

const clusterConfig = defineConfig({
  KAFKA_BROKERS: string({
    matches: /^[^\s,:]+:\d+(,[^\s,:]+:\d+)*$/,
    expected: 'a list such as kafka-1:9092,kafka-2:9092',
  }),
  KAFKA_TLS: bool().default(false),
  ...tlsFileVariables('KAFKA', 'the brokers'),
  KAFKA_SASL_MECHANISM: oneOf('plain', 'scram-sha-256', 'scram-sha-512').optional(),
  KAFKA_SASL_USERNAME: string().default(''),
  KAFKA_SASL_PASSWORD: secret().default(''),
  RAGMESH_TOPIC_PREFIX: string().default(''),
});

function connect() {
  const config = loadConfig(clusterConfig, readEnvironment());
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = config;
  return KafkaBusDriver.connect({
    brokers: config.KAFKA_BROKERS.split(','),
    clientId: 'ragmesh-topics',
    topicPrefix: config.RAGMESH_TOPIC_PREFIX,
    tls: config.KAFKA_TLS && (readTlsFiles(config, 'KAFKA') ?? true),
    ...(mechanism ? { sasl: { mechanism, username, password } } : {}),
  });
}

/** Columns as wide as their longest cell. */
function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function show(drift) {
  const rows = drift.map(({ topic, setting, found, wanted, repairable }) => {
    return [topic, setting, found, wanted, repairable ? 'apply' : 'by hand: partitions cannot be taken away'];
  });
  console.log(table([['topic', 'setting', 'cluster', 'catalogue', 'repaired by'], ...rows]));
}

async function diff(topics) {
  const drift = await topics.diff(topicSpecs);
  if (drift.length === 0) console.log(`All ${topicSpecs.length} topics are as the catalogue says.`);
  else show(drift);
  return drift.length;
}

async function apply(topics) {
  const before = await topics.apply(topicSpecs);
  const after = await topics.diff(topicSpecs);
  console.log(`${before.length - after.length} differences repaired, ${after.length} left.`);
  if (after.length > 0) show(after);
  return after.length;
}

const commands = { diff, apply };
const command = commands[process.argv[2]];
if (command) {
  try {
    const driver = await connect();
    try {
      process.exitCode = (await command(driver.topics)) === 0 ? 0 : 1;
    } finally {
      await driver.close();
    }
  } catch (error) {
    console.error(error.message);
    process.exitCode = 2;
  }
} else {
  console.error('Usage: npm run topics -- diff|apply');
  process.exitCode = 2;
}
