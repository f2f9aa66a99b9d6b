import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { ResolvedAddress } from './egress-policy.js';

/** Where this machine keeps names of its own. */
export const HOSTS_FILE = '/etc/hosts';

/** The addresses a hosts file gives a name, in its order; none when it does not have the name or is not there. */
export async function addressesInHosts(file: string, host: string): Promise<ResolvedAddress[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    const family = isIP(address);
    const isNamed = family !== 0 && names.some((name) => name.toLowerCase() === host);
    return isNamed ? [{ address, family: family as 4 | 6 }] : [];
  });
}
