// Supervises one service, test/talkative-service.mjs, and prints what it is told. With `without-process` no process can be
// started until the first attempt has failed, with `refused` the service ends because brokers refuse it. Ends in order on SIGTERM.
import { SupervisedService } from '../dist/supervised-service.js';

const [, , logFile, fault] = process.argv;
const node = process.execPath;
const say = (sentence) => {
  process.stdout.write(`${sentence}\n`);
  process.execPath = node;
};
const service = new SupervisedService({
  name: 'talkative',
  main: new URL('./talkative-service.mjs', import.meta.url).pathname,
  environment: { ...process.env, ...(fault === 'refused' ? { REFUSED: 'yes' } : {}) },
  probeUrl: 'http://127.0.0.1:1/',
  logFile,
  stopWithinMs: 5_000,
  say,
});
process.on('SIGTERM', () => void service.stop().then(() => process.exit(0)));
if (fault === 'without-process') process.execPath = '/nowhere/node';
await service.start();
say('talkative works');
