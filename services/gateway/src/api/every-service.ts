import { Injectable } from '@nestjs/common';
import { serviceNames, type ServiceName } from '@ragmesh/contracts';
import { asRagmeshError, type RagmeshError } from '@ragmesh/errors';
import { Calls } from './calls.js';
import type { CallOptions } from '@ragmesh/grpc';
import type { FastifyReply } from 'fastify';

/** A service that does not answer by then is left out of the answer. */
const ANSWER_WITHIN_MS = 5_000;

/** What the services answered, and who did not. */
export interface Answers<T> {
  readonly answers: readonly T[];
  readonly unavailable: readonly ServiceName[];
}

type Question<T> = (name: ServiceName, options: CallOptions) => Promise<T>;

/** Every service behind the edge. Each has dead letters: of what it handles, and of what it says and the bus refuses. */
export const services: readonly ServiceName[] = serviceNames.filter((name) => name !== 'gateway');

/** One page over those of several services, newest first, and where the next one begins; null when nobody has more. */
export function mergedPage<T extends { readonly cursor: string }>(
  pages: readonly (readonly T[])[],
  limit: number,
): { readonly page: readonly T[]; readonly next: string | null } {
  const items = pages.flat().toSorted((a, b) => (a.cursor < b.cursor ? 1 : -1));
  const page = items.slice(0, limit);
  // Fewer than a page in all: every service has shown everything it has.
  return { page, next: items.length >= limit ? page.at(-1)!.cursor : null };
}

/** Asks several services the same thing. Operators need an answer most when a service is down. */
@Injectable()
export class EveryService {
  constructor(private readonly calls: Calls) {}

  /** As {@link askAny}. @throws RagmeshError of the first service when none answered. */
  async ask<T>(names: readonly ServiceName[], reply: FastifyReply, question: Question<T>): Promise<Answers<T>> {
    const found = await this.askAny(names, reply, question);
    if (found.answers.length === 0 && found.failure) throw found.failure;
    return found;
  }

  /** @throws RagmeshError of a service that finds fault with the question. */
  async askAny<T>(
    names: readonly ServiceName[],
    reply: FastifyReply,
    question: Question<T>,
  ): Promise<Answers<T> & { readonly failure: RagmeshError | undefined }> {
    const options = { ...this.calls.unary(reply), deadlineMs: ANSWER_WITHIN_MS };
    const outcomes = await Promise.allSettled(names.map((name) => question(name, options)));
    const failures = new Map<ServiceName, RagmeshError>();
    const answers: T[] = [];
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.status === 'fulfilled') answers.push(outcome.value);
      else failures.set(names[index]!, asRagmeshError(outcome.reason));
    }
    const refusal = [...failures.values()].find(({ retry }) => retry === 'permanent');
    if (refusal) throw refusal;
    return { answers, unavailable: [...failures.keys()], failure: failures.values().next().value };
  }
}
