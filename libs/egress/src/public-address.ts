import { IpRange, ipBytes } from './ip-range.js';

const ranges = (...texts: readonly string[]): readonly IpRange[] => texts.map((text) => IpRange.parse(text)!);

/** IANA's IPv4 special-purpose registry, where it says "not globally reachable", and what reaches into a cloud's host. */
const closedV4 = ranges(
  '0.0.0.0/8', // this host
  '10.0.0.0/8', // private
  '100.64.0.0/10', // carrier-grade NAT; metadata of Alibaba Cloud
  '127.0.0.0/8', // loopback
  '168.63.129.16', // agent of Azure's hosts, on a public address
  '169.254.0.0/16', // link-local; metadata of most clouds
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments; metadata of Oracle Cloud
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16', // private
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
);

/** All of IPv6 that is assigned for global unicast; loopback, link-local, unique local and multicast lie outside. */
const openV6 = ranges('2000::/3');
const closedV6 = ranges(
  '2001::/23', // protocol assignments: Teredo, ORCHID, benchmarks
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4 carries any IPv4 address
  '3fff::/20', // documentation
);
/** The well-known NAT64 prefix (RFC 6052): what a network without IPv4 reaches every IPv4 host through. */
const nat64 = IpRange.parse('64:ff9b::/96')!;

/**
 * Whether an address belongs to the public internet, and to nothing a server's own network keeps to itself. An address that
 * carries an IPv4 address is judged by that one; a spelling this cannot read is not public.
 */
export function isPublicAddress(address: string): boolean {
  const bytes = ipBytes(address);
  return bytes !== undefined && isPublic(bytes);
}

function isPublic(bytes: readonly number[]): boolean {
  if (bytes.length === 4) return !isIn(closedV4, bytes);
  if (nat64.contains(bytes)) return isPublic(bytes.slice(-4));
  return isIn(openV6, bytes) && !isIn(closedV6, bytes);
}

const isIn = (list: readonly IpRange[], bytes: readonly number[]): boolean =>
  list.some((range) => range.contains(bytes));
