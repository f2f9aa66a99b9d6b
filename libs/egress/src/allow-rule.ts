import { isIPv6 } from 'node:net';
import { IpRange, ipBytes } from './ip-range.js';

const HOST = /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/;
const WITH_PORT = /^(\[[^\]]+\]|[^:]+):(\d{1,5})$/;

/** One source inside the operator's own network that URLs may name: a host, or a range of addresses, on one port or on all. */
export class AllowRule {
  private constructor(
    private readonly target: string | IpRange,
    /** Undefined: the ports that are allowed everywhere. */
    readonly port: number | undefined,
  ) {}

  /**
   * @param text `wiki.example`, `*.corp.example` (names below it), `10.1.2.3`, `10.0.0.0/8`, `fd00::/8`, each also with a port:
   * `wiki.example:8080`, `[fd00::1]:8080`.
   * @returns undefined when it is none of these.
   */
  static parse(text: string): AllowRule | undefined {
    const [, named = text, portText] = (!isIPv6(text) && WITH_PORT.exec(text)) || [];
    const port = portText === undefined ? undefined : Number(portText);
    if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
    const bare = named.replace(/^\[(.*)\]$/, '$1');
    const range = IpRange.parse(bare);
    if (range) return new AllowRule(range, port);
    const host = bare.toLowerCase();
    const isNumeric = /^[\d.]+$/.test(host);
    return HOST.test(host) && !isNumeric ? new AllowRule(host, port) : undefined;
  }

  /** Whether it could let this host in, whatever its name resolves to. */
  concerns(host: string): boolean {
    return typeof this.target !== 'string' || this.names(host);
  }

  /** Whether the operator listed this name, by itself or with all below it. */
  names(host: string): boolean {
    return typeof this.target === 'string' && this.matches(host, '');
  }

  /** @param host as a parsed URL has it: lower case, punycode. @param address what it resolved to. */
  matches(host: string, address: string): boolean {
    if (typeof this.target === 'string') {
      return this.target.startsWith('*.') ? host.endsWith(this.target.slice(1)) : host === this.target;
    }
    const bytes = ipBytes(address);
    return bytes !== undefined && this.target.contains(bytes);
  }
}
