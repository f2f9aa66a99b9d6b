import { z } from 'zod';
import { failsAs, type ErrorShape } from '../http/error-shape.js';

const MAX_QUESTIONS = 100;

/** Body of `/api/chat/generate-questions`. Existing clients send more; what has no meaning here is left aside. */
export const generateQuestions = z.object({
  topic: z.string().max(1000).nullish().describe('Without one: the newest documents'),
  count: z.number().int().min(1).max(MAX_QUESTIONS).default(25),
  mode: z.enum(['practice', 'quiz']).default('practice'),
});
export type GenerateQuestionsInput = z.output<typeof generateQuestions>;

export const generatedQuestions = z.object({
  response: z.string().describe('The questions as numbered text'),
  timestamp: z.iso.datetime(),
});

const failure = z.object({
  status: z.literal('error'),
  message: z.string(),
  fallback_used: z.boolean(),
  retry_after: z.number().nullable().describe('Seconds'),
});

/** Failures as the clients of this route know them. */
export const questionErrors: ErrorShape = {
  mediaType: 'application/json',
  schema: failure,
  statusOf: (status) => status,
  body: ({ detail, retry_after }): z.input<typeof failure> => ({
    status: 'error',
    message: detail,
    fallback_used: false, // an answer by a fallback is no failure
    retry_after,
  }),
  lastEvent: () => '',
};

export const questionRoute = failsAs(questionErrors);
