import type { z } from 'zod';
import { failsAs, problemShape, type ErrorShape } from '../http/error-shape.js';
import { encodeData } from '../http/event-stream.js';
import type { rootEvent } from './query.schema.js';

/** Problems as everywhere, but a stream that fails ends in an event of the kind its clients read. */
const rootStreamErrors: ErrorShape = {
  ...problemShape,
  lastEvent: ({ detail, code, retry_after }) =>
    encodeData({ type: 'error', message: detail, code, retry_after } satisfies z.input<typeof rootEvent>),
};

export const rootQueryRoute = failsAs(rootStreamErrors);
