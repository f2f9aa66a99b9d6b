import { setTimeout as delay } from 'node:timers/promises';
import { isRagmeshError, type RagmeshError } from '@ragmesh/errors';
import { checkAccess } from './checks/access.js';
import { checkBlobStore } from './checks/blob-store.js';
import { checkCertificates } from './checks/certificates.js';
import { checkClock } from './checks/clock.js';
import { checkConfigurationFaults } from './checks/configuration.js';
import { checkDataFolder } from './checks/data-folder.js';
import { checkDatabase } from './checks/database.js';
import { checkDeadLetters } from './checks/dead-letters.js';
import { checkKafka } from './checks/kafka.js';
import { checkLanguageModel } from './checks/language-model.js';
import { checkModels } from './checks/models.js';
import { checkNodeVersion } from './checks/node-version.js';
import { checkOutbox } from './checks/outbox.js';
import { checkPort } from './checks/port.js';
import { checkQdrant } from './checks/qdrant.js';
import { checkRedis } from './checks/redis.js';
import { checkSagas } from './checks/sagas.js';
import { checkServices } from './checks/services.js';
import { fault, type Finding } from './finding.js';
import type { Situation } from './situation.js';

/** One thing that is looked at. Resolves with what is wrong, and with nothing when it is fine or not in use. */
export type Check = (situation: Situation) => Promise<readonly Finding[]>;

/** Longest time for one check. */
const PATIENCE_MS = 30_000;

export const checks: Readonly<Record<string, Check>> = {
  node: checkNodeVersion,
  configuration: checkConfigurationFaults,
  'data folder': checkDataFolder,
  port: checkPort,
  database: checkDatabase,
  kafka: checkKafka,
  redis: checkRedis,
  qdrant: checkQdrant,
  s3: checkBlobStore,
  models: checkModels,
  'language model': checkLanguageModel,
  certificates: checkCertificates,
  clock: checkClock,
  access: checkAccess,
  services: checkServices,
  outbox: checkOutbox,
  sagas: checkSagas,
  'dead letters': checkDeadLetters,
};

/** A finding and the check that made it. */
export interface Diagnosis extends Finding {
  readonly check: string;
}

/** All checks at once, their findings in the order of the list. */
export async function runChecks(situation: Situation): Promise<Diagnosis[]> {
  const outcomes = Object.entries(checks).map(async ([check, look]) => {
    const findings = await patiently(look(situation));
    return findings.map((finding) => ({ check, ...finding }));
  });
  return (await Promise.all(outcomes)).flat();
}

async function patiently(looking: ReturnType<Check>): ReturnType<Check> {
  const late = delay(PATIENCE_MS, [unfinished(`gave no answer within ${PATIENCE_MS / 1000} s`)], { ref: false });
  const failed = looking.catch((error: unknown) => [isRagmeshError(error) ? explained(error) : unforeseen(error)]);
  return Promise.race([failed, late]);
}

/** Our own sentences say what to change, and hold no secret. */
const explained = ({ message }: RagmeshError): Finding =>
  fault(
    message,
    'What needs it ends at its start, or does without.',
    'change what the sentence names, then look again',
  );

const unforeseen = (error: unknown): Finding => unfinished(`failed: ${(error as Error).name}`);

/** The words of unforeseen failures may hold what they were given, so only their kind is told. */
const unfinished = (how: string): Finding =>
  fault(`This check ${how}.`, 'What it looks at may be broken, too.', 'npm run doctor once more; then report it');
