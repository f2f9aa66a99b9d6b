import { processConfig } from '@ragmesh/bootstrap';
import { gatewayService } from '@ragmesh/service-gateway';
import { fault, note, type Finding } from '../finding.js';
import { read, type Situation } from '../situation.js';

const edge = gatewayService.config.variables;
const loopback = new Set(['127.0.0.1', '::1', 'localhost']);
const ANSWER_WITHIN_MS = 5_000;

/** Who is let in, and how services know each other. */
export async function checkAccess(situation: Situation): Promise<Finding[]> {
  const [keys, credential] = await Promise.all([identityProvider(situation), operatorKey(situation)]);
  return [...openEdge(situation), ...clearCalls(situation), ...keys, ...credential];
}

function openEdge(situation: Situation): Finding[] {
  const { AUTH_MODE, SERVER_HOST, SERVER_TRUSTED_NETWORK, SERVER_TLS_CERT_FILE } = edge;
  const config = read(situation, { AUTH_MODE, SERVER_HOST, SERVER_TRUSTED_NETWORK, SERVER_TLS_CERT_FILE });
  if (config === undefined || loopback.has(config.SERVER_HOST)) return [];
  if (config.AUTH_MODE !== 'off') return [];
  if (!config.SERVER_TRUSTED_NETWORK) return []; // a fault of the configuration, told there
  return [
    note(
      `Authentication is off, and the edge listens on ${config.SERVER_HOST}.`,
      'Whoever reaches the port reads and deletes every document; SERVER_TRUSTED_NETWORK says that nobody else does.',
      'set AUTH_MODE=keys and RAGMESH_BOOTSTRAP_KEY_FILE, unless only a proxy that asks for credentials reaches it',
    ),
  ];
}

/** Calls are signed in any case; without TLS whoever can listen reads them. */
function clearCalls(situation: Situation): Finding[] {
  if (situation.mode === 'standalone') return [];
  const { GRPC_TLS, GRPC_HOST } = processConfig.variables;
  const config = read(situation, { GRPC_TLS, GRPC_HOST });
  if (config === undefined || config.GRPC_TLS !== 'off' || loopback.has(config.GRPC_HOST)) return [];
  return [
    note(
      'Services call each other without TLS.',
      'Whoever can listen on their network reads documents and questions.',
      'set GRPC_TLS=mtls with GRPC_TLS_CERT_FILE, GRPC_TLS_KEY_FILE and GRPC_TLS_CA_FILE, unless a service mesh encrypts',
    ),
  ];
}

async function identityProvider(situation: Situation): Promise<Finding[]> {
  const { AUTH_MODE, AUTH_JWT_JWKS_URL } = edge;
  const config = read(situation, { AUTH_MODE, AUTH_JWT_JWKS_URL });
  if (!config?.AUTH_MODE.includes('jwt') || config.AUTH_JWT_JWKS_URL === undefined) return [];
  const answer = await fetch(config.AUTH_JWT_JWKS_URL, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) }).catch(
    () => undefined,
  );
  if (answer?.status === 200) return [];
  const reason = answer ? `status ${answer.status}` : 'no answer';
  return [
    fault(
      `The identity provider does not publish its keys at AUTH_JWT_JWKS_URL (${reason}).`,
      'No token can be checked, so whoever has only one is refused.',
      'curl -sS "$AUTH_JWT_JWKS_URL" from where the gateway runs; correct the address or the network rules',
    ),
  ];
}

/** Without a key that opens the operator's routes, the rest of a running ragmesh cannot be looked at. */
async function operatorKey({ gateway }: Situation): Promise<Finding[]> {
  const status = (await gateway.ask('/v1/admin/breakers'))?.status;
  if (status !== 401 && status !== 403) return [];
  const what = gateway.hasKey ? `The edge refuses the key (status ${status}).` : 'The edge asks for a credential.';
  const why = 'Services, sagas, dead letters and the outbox of standalone were not looked at.';
  const mend = 'npm run doctor -- --key-file FILE with a key that has the role operator';
  return [gateway.hasKey ? fault(what, why, mend) : note(what, why, mend)];
}
