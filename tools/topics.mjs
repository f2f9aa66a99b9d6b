/**
 * `npm run topics -- diff`: says where the cluster's topics differ from the catalogue, and exits with 1 when they do.
 * `npm run topics -- apply`: creates what is missing, adds partitions and sets retention; nothing is ever removed.
 * The cluster is that of `KAFKA_BROKERS`, with `KAFKA_TLS*`, `KAFKA_SASL_*` and `RAGMESH_TOPIC_PREFIX` as for the services.
 */
import { kafkaOptions, kafkaVariables } from '@ragmesh/bootstrap';
import { defineConfig, loadConfig, readEnvironment } from '@ragmesh/config';
import { topicSpecs } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { KafkaBusDriver } from '@ragmesh/messaging';

function connect() {
  const kafka = kafkaOptions('ragmesh-topics', loadConfig(defineConfig(kafkaVariables), readEnvironment()));
  if (kafka) return KafkaBusDriver.connect(kafka);
  throw new RagmeshError('CONFIG.INVALID', 'KAFKA_BROKERS must name the brokers whose topics these are.');
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

const byHand = (setting) =>
  setting === 'replicas' ? 'by hand: kafka-reassign-partitions' : 'by hand: partitions cannot be taken away';

function show(drift) {
  const rows = drift.map(({ topic, setting, found, wanted, repairable }) => {
    return [topic, setting, found, wanted, repairable ? 'apply' : byHand(setting)];
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
