import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { serviceNames, type ServiceName } from '@ragmesh/contracts';

/** A gRPC service of a contract package: of one of our services, or what every service answers to its operators. */
const contractService = /\b(\w+)V1\.\w+Service\b/g;

/** Contract packages that every service answers (`libs/bootstrap/src/operator-services.ts`). */
const answeredByAll = ['messaging', 'operations'];

/** Contract packages that clients made in a folder are for: who has a client for a service names its contract. */
function packagesCalledIn(folder: string): string[] {
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'),
  );
  return sources.flatMap((file) => {
    const text = readFileSync(join(folder, file), 'utf8');
    return text.includes('GrpcClient') ? [...text.matchAll(contractService)].map(([, name]) => name!) : [];
  });
}

/**
 * Which services a service calls over gRPC, as the source says: its own, and what every service has from `libs/bootstrap`.
 * Contracts are called like their service.
 */
export function callsOf(root: string, service: ServiceName): ServiceName[] {
  const folders = [`services/${service}/src`, 'libs/bootstrap/src'];
  const packages = new Set(folders.flatMap((folder) => packagesCalledIn(join(root, folder))));
  const callsAll = answeredByAll.some((name) => packages.has(name));
  return serviceNames.filter((name) => name !== service && (callsAll || packages.has(name)));
}
