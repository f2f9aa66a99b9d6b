import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { serversFolder } from './servers-folder.js';

/** The folder of Kafka's jars, or undefined when `npm run servers` has not run or there is no Java. */
export function findKafkaJars(): string | undefined {
  const jars = join(serversFolder, 'kafka', 'lib');
  if (!existsSync(join(serversFolder, 'kafka', 'version'))) return undefined;
  return spawnSync('java', ['-version'], { stdio: 'ignore', env: process.env }).status === 0 ? jars : undefined;
}
