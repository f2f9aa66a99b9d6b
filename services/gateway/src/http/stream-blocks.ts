import type { FastifyReply } from 'fastify';
import { errorShapeOf } from './error-shape.js';
import { EventStream } from './event-stream.js';
import type { ProblemFilter } from './problem.filter.js';

/**
 * Sends whole events as they come. A failure before the first one is thrown and becomes an ordinary answer; a later one is
 * the last event, in the words of the route.
 */
export async function streamBlocks(
  blocks: AsyncGenerator<string, void>,
  reply: FastifyReply,
  problems: ProblemFilter,
): Promise<void> {
  let events: EventStream | undefined;
  try {
    let next = await blocks.next();
    events = EventStream.open(reply);
    for (; !next.done; next = await blocks.next()) await events.write(next.value);
  } catch (error) {
    if (!events) throw error;
    const problem = problems.describe(error, reply.request);
    await events.write(errorShapeOf(reply.request).lastEvent(problem));
  } finally {
    await blocks.return();
    events?.end();
  }
}
