import { listOf, type Variable } from '@ragmesh/config';
import { IpRange } from '@ragmesh/egress';

/** Everybody is no proxy: with a prefix of 0 anybody could name any address as his own. */
const proxyOf = (text: string): string | undefined => (IpRange.parse(text) && !/\/0+$/.test(text) ? text : undefined);

/** Addresses and ranges between commas, whose word is taken for whom they pass on. */
export const proxyList = (): Variable<readonly string[]> =>
  listOf('addresses or ranges such as 10.1.2.3, 10.0.0.0/8, fd00::/8', proxyOf);
