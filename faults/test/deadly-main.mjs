// A composition of its own that kills its process: `step N` at the N-th commit or publish, `document ID` whenever the index
// is about to take that document. A third argument names Kafka brokers; without it events lie in tables.
import { startStandalone } from '../../services/standalone/dist/standalone.service.js';
import { topicSpecs } from '../../libs/contracts/dist/index.js';
import { KafkaBusDriver } from '../../libs/messaging/dist/index.js';

const [kind, value, brokers] = process.argv.slice(2);
const die = () => process.kill(process.pid, 'SIGKILL');

let standing = false;
let step = 0;
function passStep() {
  if (kind !== 'step' || !standing) return;
  step += 1;
  if (step === Number(value)) die();
}

const names = (values) => values?.some((each) => each === value || (Array.isArray(each) && each.includes(value)));
const isDeadly = (text, values) => kind === 'document' && text.includes('INTO point ') && names(values);

function deadlyBus(bus) {
  return {
    provision: (topics) => bus.provision(topics),
    partitionsOf: (topic) => bus.partitionsOf(topic),
    publish: async (records) => {
      passStep();
      const outcomes = await bus.publish(records);
      passStep();
      return outcomes;
    },
    subscribe: (options) => bus.subscribe(options),
    close: () => bus.close(),
  };
}

function deadlyDatabase(database) {
  const transaction = database.transaction.bind(database);
  database.transaction = async (work) => {
    const result = await transaction(async (tx) => {
      const guarded = (method) => (text, values) => {
        if (isDeadly(text, values)) die();
        return tx[method](text, values);
      };
      const done = await work({ query: guarded('query'), write: guarded('write') });
      passStep();
      return done;
    });
    passStep();
    return result;
  };
  return database;
}

async function connectKafka() {
  const bus = await KafkaBusDriver.connect({
    brokers: brokers.split(','),
    clientId: 'deadly',
    sessionTimeoutMs: 3_000,
  });
  await bus.provision(topicSpecs);
  return bus;
}

const kafka = brokers ? await connectKafka() : undefined;
const standalone = await startStandalone({
  environment: process.env,
  wrapDrivers: (drivers) => ({
    ...drivers,
    bus: deadlyBus(kafka ?? drivers.bus),
    openDatabase: (service) => deadlyDatabase(drivers.openDatabase(service)),
  }),
});
standing = true;
async function close() {
  await standalone.close();
  await kafka?.close();
  process.exit(0);
}
process.on('SIGTERM', () => void close());
process.send({ ready: true });
