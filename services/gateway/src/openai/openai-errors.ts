import { z } from 'zod';
import { failsAs, type ErrorShape } from '../http/error-shape.js';
import { encodeData } from '../http/event-stream.js';
import type { Problem } from '../http/problem.js';

const openAiError = z.object({
  error: z.object({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable().describe('The field at fault'),
    code: z.string().nullable(),
  }),
});

/** OpenAI's clients repeat what is 409, 429 or 5xx, and know no 422; what would fail again must be a 400. */
const statusOf = (status: number): number => (status === 422 || status === 501 ? 400 : status);

function typeOf(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

const body = ({ status, detail, field, code }: Problem): z.input<typeof openAiError> => ({
  error: {
    message: detail,
    type: typeOf(statusOf(status)),
    param: field ?? null,
    code: code === 'MODEL.NOT_FOUND' ? 'model_not_found' : code,
  },
});

/** Failures as OpenAI words them. */
export const openAiErrors: ErrorShape = {
  mediaType: 'application/json',
  schema: openAiError,
  statusOf,
  body,
  lastEvent: (problem) => encodeData(body(problem)),
};

/** Configuration of the routes that OpenAI's clients call. */
export const openAiRoute = failsAs(openAiErrors);
