import { isIP, isIPv4 } from 'node:net';
import { Variable } from '@ragmesh/config';
import { z } from 'zod';

/** An address, or a range in CIDR. Everybody is no proxy: with a prefix of 0 anybody could name any address as his own. */
function isProxy(text: string): boolean {
  const [address = '', prefix, ...more] = text.split('/');
  if (isIP(address) === 0 || address.includes('%') || more.length > 0) return false;
  if (prefix === undefined) return true;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) >= 1 && Number(prefix) <= (isIPv4(address) ? 32 : 128);
}

const schema = z.string().transform((text, context): readonly string[] => {
  const proxies = text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
  if (!proxies.every(isProxy))
    context.addIssue('must be a list of addresses or ranges such as 10.1.2.3, 10.0.0.0/8, fd00::/8');
  return proxies;
});

/** Addresses between commas, whose word is taken for whom they pass on. */
export const proxyList = (): Variable<readonly string[]> =>
  new Variable({ kind: 'list', schema, description: '', isSecret: false, isOptional: false });
