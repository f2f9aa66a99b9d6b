import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import { hostOf, type ResolvedAddress } from './egress-policy.js';
import { brokenOff, noFirstByte } from './egress-errors.js';

/** An empty proxy environment: a proxy would resolve the name once more, and reach what this process may not. */
const direct = { keepAlive: false, proxyEnv: {} };
const agents = { 'http:': new http.Agent(direct), 'https:': new https.Agent({ ...direct, maxCachedSessions: 0 }) };

const HEADERS = {
  'user-agent': 'ragmesh',
  accept: '*/*',
  'accept-encoding': 'gzip, deflate, br',
};
const MAX_HEADER_BYTES = 16 * 1024;

interface PinnedRequest {
  readonly url: URL;
  /** Where the connection may go; the name is not resolved again, so that a second answer of its DNS changes nothing. */
  readonly addresses: readonly ResolvedAddress[];
  readonly signal: AbortSignal;
  readonly firstByteSeconds: number;
}

/** Sends one GET to one of the given addresses and resolves with the head of the answer. Follows nothing, keeps nothing. */
export function pinnedGet({ url, addresses, signal, firstByteSeconds }: PinnedRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const isSecure = url.protocol === 'https:';
    const request = (isSecure ? https : http).request({
      agent: agents[isSecure ? 'https:' : 'http:'],
      host: hostOf(url),
      port: url.port === '' ? undefined : Number(url.port),
      path: `${url.pathname}${url.search}`,
      headers: { ...HEADERS, host: url.host },
      lookup: pinnedTo(addresses),
      maxHeaderSize: MAX_HEADER_BYTES,
      insecureHTTPParser: false,
      signal,
    });
    const patience = setTimeout(() => request.destroy(noFirstByte(firstByteSeconds)), firstByteSeconds * 1000);
    request.once('close', () => {
      clearTimeout(patience);
      reject(brokenOff()); // after a switch of protocols, say, there is neither an answer nor an error
    });
    request.on('error', reject); // stays: a connection may also break after the head, which the body then tells
    request.once('response', (response) => {
      clearTimeout(patience);
      resolve(response);
    });
    request.end();
  });
}

const pinnedTo =
  (addresses: readonly ResolvedAddress[]): LookupFunction =>
  (_host, { all }, callback) => {
    if (all) return callback(null, [...addresses]);
    const [{ address, family }] = addresses as [ResolvedAddress];
    callback(null, address, family);
  };
