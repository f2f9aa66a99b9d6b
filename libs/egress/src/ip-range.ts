import { isIP, isIPv4 } from 'node:net';

const PREFIX = /^\d{1,3}$/;
const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/**
 * The bytes of an address: 4 of IPv4, 16 of IPv6. An IPv4-mapped address (`::ffff:a.b.c.d`) is what a socket takes it for,
 * IPv4. Undefined for what is no address, and for one with a zone (`fe80::1%eth0`), which only one link knows.
 */
export function ipBytes(address: string): readonly number[] | undefined {
  if (isIP(address) === 0 || address.includes('%')) return undefined;
  if (isIPv4(address)) return address.split('.').map(Number);
  const bytes = v6Bytes(address);
  return mapped.every((byte, index) => bytes[index] === byte) ? bytes.slice(mapped.length) : bytes;
}

function v6Bytes(address: string): readonly number[] {
  const hex = address.replace(/[\d.]+\.[\d.]+$/, (tail) => {
    const [a = 0, b = 0, c = 0, d = 0] = tail.split('.').map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [left = [], right] = hex.split('::').map((part) => (part === '' ? [] : part.split(':')));
  const missing = right ? 8 - left.length - right.length : 0;
  const words = [...left, ...Array<string>(missing).fill('0'), ...(right ?? [])].map((word) => parseInt(word, 16));
  return words.flatMap((word) => [word >> 8, word & 0xff]);
}

/** Neighbouring addresses, in CIDR notation. */
export class IpRange {
  private constructor(
    private readonly base: readonly number[],
    private readonly prefix: number,
  ) {}

  /** @param text such as `10.0.0.0/8`, `fc00::/7`, or one address. @returns undefined when it is none of these. */
  static parse(text: string): IpRange | undefined {
    const [address = '', prefix, ...rest] = text.split('/');
    const base = ipBytes(address);
    if (!base || rest.length > 0) return undefined;
    if (prefix === undefined) return new IpRange(base, base.length * 8);
    if (!PREFIX.test(prefix) || Number(prefix) > base.length * 8) return undefined;
    return new IpRange(base, Number(prefix));
  }

  /** @param bytes of an address, as {@link ipBytes} gives them. */
  contains(bytes: readonly number[]): boolean {
    if (bytes.length !== this.base.length) return false;
    return bytes.every((byte, index) => {
      const bits = Math.min(8, Math.max(0, this.prefix - index * 8));
      const mask = (0xff << (8 - bits)) & 0xff;
      return (byte & mask) === (this.base[index]! & mask);
    });
  }
}
