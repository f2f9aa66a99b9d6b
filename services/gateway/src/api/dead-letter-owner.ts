import type { ServiceName } from '@ragmesh/contracts';
import { services } from './every-service.js';

/** The service whose letter it is: the last part of an id names the handler, and a handler's name begins with its service. */
export function serviceOf(id: string): ServiceName | undefined {
  const handler = id.slice(id.lastIndexOf(':') + 1);
  return services.find((name) => handler.startsWith(`${name}.`));
}
