import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** Requests a client may send ahead on one connection. Hardly any sends a single one before it has its answer. */
const MOST_AHEAD = 16;

/**
 * Serves the requests of a connection one after the other, and hangs up on whoever sends many ahead. Node begins all of them at
 * once, but can send only the first answer: each other would hold its place, and its answer, for as long as that is not taken.
 */
export function serveOneAtATime(server: FastifyInstance): void {
  const ahead = new WeakMap<Socket, number>();
  server.addHook('onRequest', (request, reply, done) => {
    if (reply.raw.socket) return done();
    const { socket } = request.raw;
    const waiting = (ahead.get(socket) ?? 0) + 1;
    if (waiting > MOST_AHEAD) return void socket.destroy();
    ahead.set(socket, waiting);
    reply.raw.once('socket', () => {
      ahead.set(socket, ahead.get(socket)! - 1);
      // Only then has the answer taken hold of the connection; one that is gone by now tells nobody of its end again.
      process.nextTick(() => {
        if (!socket.destroyed) done();
      });
    });
  });
}
