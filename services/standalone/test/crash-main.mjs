// A composition of its own: it wraps the database and bus ports and kills the process at the step it is told to.
import { flushCompileCache } from 'node:module';
import { startStandalone } from '../dist/standalone.service.js';

const crashAt = Number(process.argv[2] || 0);
let step = 0;
/** What these say is lost with whoever said it, and how often they say it depends on time. */
const reports = new Set(['service.health', 'performance.metrics']);

function passStep() {
  step += 1;
  if (step === crashAt) process.kill(process.pid, 'SIGKILL');
}

function wrapBus(bus) {
  return new Proxy(bus, {
    get(target, name) {
      if (name !== 'publish') return typeof target[name] === 'function' ? target[name].bind(target) : target[name];
      return async (records) => {
        const isStep = standing && !records.every(({ topic }) => reports.has(topic));
        if (isStep) passStep();
        const outcomes = await target.publish(records);
        if (isStep) passStep();
        return outcomes;
      };
    },
  });
}

function wrapDatabase(database) {
  const transaction = database.transaction.bind(database);
  database.transaction = async (work) => {
    const result = await transaction(async (tx) => {
      const value = await work(tx);
      if (standing) passStep();
      return value;
    });
    if (standing) passStep();
    return result;
  };
  return database;
}

let standing = false;
const standalone = await startStandalone({
  environment: process.env,
  wrapDrivers: (drivers) => ({
    ...drivers,
    bus: wrapBus(drivers.bus),
    openDatabase: (service) => wrapDatabase(drivers.openDatabase(service)),
  }),
});
standing = true;
flushCompileCache(); // a process that is killed writes nothing at its end
process.on('SIGTERM', () => void standalone.close().then(() => process.exit(0)));
process.send({ ready: true });
