import { RagmeshError } from '@ragmesh/errors';
import type { FastifyInstance, FastifyRequest } from 'fastify';

const LOCAL = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Refuses what a page of another site had a browser send. While nobody has to say who they are, all that keeps strangers out is
 * that the port is reached from this machine only, and a browser on it is: it posts forms wherever a page says, and takes a name
 * that a stranger points at 127.0.0.1 for the stranger's own site.
 */
export function refuseForeignPages(server: FastifyInstance): void {
  server.addHook('onRequest', (request, _reply, done) => done(isForeign(request) ? foreign() : undefined));
}

function isForeign({ headers }: FastifyRequest): boolean {
  const { host, origin } = headers;
  if (headers['sec-fetch-site'] === 'cross-site') return true;
  return [host && `http://${host}`, origin].some((url) => url !== undefined && url !== '' && !isLocal(url));
}

const isLocal = (url: string): boolean => LOCAL.has(URL.parse(url)?.hostname ?? '');

const foreign = (): RagmeshError =>
  new RagmeshError('AUTH.FOREIGN_PAGE', 'The request is for another host than this machine, or from a page of one.');
