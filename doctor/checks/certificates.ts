import { readFileSync } from 'node:fs';
import { processConfig } from '@ragmesh/bootstrap';
import { certificateExpiries } from '@ragmesh/config';
import { gatewayService } from '@ragmesh/service-gateway';
import { vectorService } from '@ragmesh/service-vector';
import { fault, note, type Finding } from '../finding.js';
import type { Situation } from '../situation.js';

const DAY_MS = 86_400_000;
/** As the alert RagmeshCertificateExpiring. */
const SOON_DAYS = 14;
const AT_ONCE_DAYS = 3;

/** The gateway reads the files of the edge and of Redis, vector those of Qdrant, every process the others. */
const variables = new Set(
  [processConfig, gatewayService.config, vectorService.config]
    .flatMap((config) => Object.keys(config.variables))
    .filter((name) => /_TLS_(CERT|CA)_FILE$/.test(name)),
);

/** Whether what the configured certificate files hold expires soon; running processes may have older ones in use. */
export async function checkCertificates({ environment }: Situation): Promise<Finding[]> {
  const now = Date.now();
  return [...variables].flatMap((variable) => {
    const path = environment[variable];
    const at = path ? expiryIn(variable, path) : undefined;
    return at ? expiring(`${variable} (${path})`, at, now) : [];
  });
}

/** Undefined for a file that cannot be read, or holds no certificate: the check of what it is for tells that. */
function expiryIn(variable: string, path: string): Date | undefined {
  try {
    const pem = readFileSync(path);
    return certificateExpiries(variable.endsWith('_CA_FILE') ? { ca: pem } : { cert: pem })[0]?.at;
  } catch {
    return undefined;
  }
}

/** What is wrong with a certificate that expires at this time; nothing, when that is long after `now`. */
export function expiring(which: string, at: Date, now: number): Finding[] {
  const days = (at.getTime() - now) / DAY_MS;
  if (days >= SOON_DAYS) return [];
  const [level, when] = [days < AT_ONCE_DAYS ? fault : note, at.toISOString().slice(0, 16)];
  return [
    level(
      days < 0 ? `What ${which} names has expired on ${when} UTC.` : `What ${which} names expires on ${when} UTC.`,
      'From then on whoever checks it refuses the connection.',
      'renew the file (cmctl renew, where cert-manager makes it); then restart what uses it for Kafka, Redis or Qdrant, the rest takes it up',
    ),
  ];
}
