import { Resolver, lookup } from 'node:dns/promises';
import type { EgressConfig } from './egress.config.js';
import type { Resolve, ResolvedAddress } from './egress-policy.js';
import { HOSTS_FILE, addressesInHosts } from './hosts-file.js';

/** Each name server is asked twice, the second time with more patience. */
const PATIENCE = { timeout: 2_000, tries: 2 };

/** Where names are looked for; left out: as this machine has it. */
export interface NameSources {
  /** Name servers as `127.0.0.1:53`. */
  readonly servers?: readonly string[];
  readonly hostsFile?: string;
}

/**
 * Resolves names as every program of this machine does, search domains included, when EGRESS_ALLOW lists them. Any other name
 * is somebody's choice, and so is how long its lookup takes: it is looked for in the hosts file and in DNS as it stands,
 * without the few threads that all names of this process share, and no longer than somebody waits.
 */
export function nameResolution(
  { EGRESS_ALLOW: allowed }: Pick<EgressConfig, 'EGRESS_ALLOW'>,
  sources: NameSources = {},
): Resolve {
  return (host, signal) =>
    allowed.some((rule) => rule.names(host)) ? systemAddresses(host) : addressesOf(host, signal, sources);
}

const systemAddresses = async (host: string): Promise<ResolvedAddress[]> =>
  (await lookup(host, { all: true, order: 'verbatim' })) as ResolvedAddress[];

async function addressesOf(host: string, signal: AbortSignal, sources: NameSources): Promise<ResolvedAddress[]> {
  const own = await addressesInHosts(sources.hostsFile ?? HOSTS_FILE, host);
  signal.throwIfAborted();
  return own.length > 0 ? own : addressesInDns(host, signal, sources.servers);
}

/** One family is enough: there are name servers that never answer for the other. */
async function addressesInDns(
  host: string,
  signal: AbortSignal,
  servers: readonly string[] | undefined,
): Promise<ResolvedAddress[]> {
  const resolver = new Resolver(PATIENCE); // one for each name: ending a lookup ends all of its resolver
  if (servers) resolver.setServers(servers);
  const cancel = (): void => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    const found = answers.flatMap((answer, index) =>
      answer.status === 'rejected'
        ? []
        : answer.value.map((address): ResolvedAddress => ({ address, family: index === 0 ? 4 : 6 })),
    );
    const failures = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as Error] : []));
    if (found.length === 0 && failures.length > 0) throw failures.find(isUnanswered) ?? failures[0];
    return found;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

/** What a name server says of a name it knows nothing of. */
const unknownName = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME']);

/** Whether a lookup failed because nobody answered it, or would not just now: then the name may well be there. */
export const isUnanswered = (error: unknown): boolean =>
  !unknownName.has((error as NodeJS.ErrnoException | undefined)?.code ?? '');
