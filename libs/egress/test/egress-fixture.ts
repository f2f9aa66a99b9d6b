import { defineConfig, loadConfig } from '@ragmesh/config';
import { EgressClient, egressVariables, type Fetched, type Resolve, type ResolvedAddress } from '@ragmesh/egress';
import { isRagmeshError, type RagmeshError } from '@ragmesh/errors';

export const MAX_BYTES = 64 * 1024;

/** A client as a service has it, configured by its environment. */
export const clientWith = (environment: Record<string, string>, resolve?: Resolve): EgressClient =>
  new EgressClient(loadConfig(defineConfig(egressVariables), environment), resolve);

export const get = (client: EgressClient, url: string, signal = new AbortController().signal): Promise<Fetched> =>
  client.get(url, { maxBytes: MAX_BYTES, signal });

export async function textOf(fetched: Fetched): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of fetched.body) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString();
}

/** The failure of a fetch or of reading its body. */
export async function failureOf(fetched: Promise<Fetched>): Promise<RagmeshError> {
  try {
    await textOf(await fetched);
  } catch (error) {
    if (isRagmeshError(error)) return error;
    throw error;
  }
  throw new Error('The content was fetched');
}

export const at = (...addresses: string[]): ResolvedAddress[] =>
  addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
