import { currentContext, currentPrincipals, currentTenant, readsEverything } from '@ragmesh/observability';
import type { Speaker } from '../domain/speaker.js';

/** For whom the running work is. Whom no access list stops, reads the conversations of his whole tenant. */
export const currentSpeaker = (): Speaker => ({
  tenant: currentTenant(),
  subject: currentContext()?.subject ?? '',
  seesAll: readsEverything(currentPrincipals()),
});
