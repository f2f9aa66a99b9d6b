import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { EgressConfig } from './egress.config.js';
import { closedAddress, withCredentials, wrongPort, wrongScheme } from './egress-errors.js';
import { ipBytes } from './ip-range.js';
import { isUnanswered } from './name-resolution.js';
import { isPublicAddress } from './public-address.js';

/** An address a name resolved to. */
export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** All addresses of a host name; rejects when it has none. `signal`: nobody waits any more. */
export type Resolve = (host: string, signal: AbortSignal) => Promise<readonly ResolvedAddress[]>;

type Rules = Pick<EgressConfig, 'EGRESS_PUBLIC' | 'EGRESS_ALLOW' | 'EGRESS_PORTS'>;

const defaultPorts: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** Decides what may be fetched from, by the addresses a connection would really go to. */
export class EgressPolicy {
  constructor(
    private readonly rules: Rules,
    private readonly resolve: Resolve,
  ) {}

  /**
   * The addresses a connection for this URL may go to, and no other: a name is resolved here and never again.
   * @throws RagmeshError EGRESS.REFUSED unless every address of the host is allowed.
   */
  async addressesFor(url: URL, signal: AbortSignal): Promise<readonly ResolvedAddress[]> {
    const port = this.#checkedPort(url);
    const host = hostOf(url);
    // A lookup carries what the name says to whoever answers for it: none is made for a host that stays closed anyway.
    if (!this.rules.EGRESS_PUBLIC && !this.rules.EGRESS_ALLOW.some((rule) => rule.concerns(host)))
      throw closedAddress();
    const addresses = await this.#resolved(host, signal);
    const areAllowed = addresses.every(({ address }) => this.#isAllowed(host, address, port));
    if (addresses.length === 0 || !areAllowed) throw closedAddress();
    return addresses;
  }

  #checkedPort(url: URL): number {
    const standard = defaultPorts[url.protocol];
    if (standard === undefined) throw wrongScheme();
    if (url.username !== '' || url.password !== '') throw withCredentials();
    const port = url.port === '' ? standard : Number(url.port);
    const { EGRESS_PORTS: ports, EGRESS_ALLOW: allowed } = this.rules;
    if (ports.includes(port) || allowed.some((rule) => rule.port === port)) return port;
    throw wrongPort(ports);
  }

  async #resolved(host: string, signal: AbortSignal): Promise<readonly ResolvedAddress[]> {
    const family = isIP(host);
    if (family !== 0) return [{ address: host, family: family as 4 | 6 }];
    try {
      return await this.resolve(host, signal);
    } catch (error) {
      if (signal.aborted || isUnanswered(error)) throw error; // not the host's fault, or not for sure
      throw closedAddress();
    }
  }

  #isAllowed(host: string, address: string, port: number): boolean {
    const { EGRESS_ALLOW: allowed, EGRESS_PORTS: ports, EGRESS_PUBLIC: takesPublic } = this.rules;
    const isUsual = ports.includes(port);
    if (allowed.some((rule) => (rule.port === undefined ? isUsual : rule.port === port) && rule.matches(host, address)))
      return true;
    return takesPublic && isUsual && isPublicAddress(address) && !isOwnAddress(address);
  }
}

/** The host without brackets and without the dot that marks a complete name: the same host, for rules and certificates. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');

/** A server that has a public address would be let in by itself past its own firewall. */
function isOwnAddress(address: string): boolean {
  const wanted = ipBytes(address)?.join('.');
  return Object.values(networkInterfaces())
    .flat()
    .some((own) => own !== undefined && ipBytes(own.address)?.join('.') === wanted);
}
