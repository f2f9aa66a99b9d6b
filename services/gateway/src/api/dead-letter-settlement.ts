import { Injectable } from '@nestjs/common';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { messagingV1, ServiceName } from '@ragmesh/contracts';
import { RagmeshError, asRagmeshError, type ErrorCode } from '@ragmesh/errors';
import type { z } from 'zod';
import { filterMessage } from './dead-letter.mapper.js';
import type { discardBody, settlementSchema } from './dead-letter.schema.js';
import { serviceOf } from './dead-letter-owner.js';
import { services } from './every-service.js';

type Body = Omit<z.output<typeof discardBody>, 'note'>;
type Answer = z.input<typeof settlementSchema>;
type Letter = Answer['letters'][number];
type Selection = MessageInitShape<typeof messagingV1.DeadLetterSelectionSchema>;
type Settle = (
  service: ServiceName,
  selection: Selection,
  ahead: number,
) => Promise<messagingV1.SettleDeadLettersResponse>;

interface Tally {
  readonly letters: Letter[];
  readonly unavailable: ServiceName[];
  matched: number;
}

/** Carries a decision about dead letters to the services that hold them, one after the other, within one limit. */
@Injectable()
export class DeadLetterSettlement {
  /**
   * A service that does not answer is named in the answer.
   * @throws RagmeshError with the reason when letters were named and none of them was accepted; DEPENDENCY.UNAVAILABLE when
   * nothing could be done because a service did not answer.
   */
  async run(body: Body, settle: Settle): Promise<Answer> {
    const tally: Tally = { letters: [], unavailable: [], matched: 0 };
    if (body.ids) await this.#settleIds(body.ids, body.limit, settle, tally);
    else await this.#settleMatching(body, settle, tally);
    const accepted = tally.letters.filter((letter) => letter.accepted).length;
    const [first] = tally.letters;
    if (!first && tally.unavailable.length > 0)
      throw new RagmeshError('DEPENDENCY.UNAVAILABLE', `These did not answer: ${tally.unavailable.join(', ')}.`);
    if (body.ids && accepted === 0 && first?.code)
      throw new RagmeshError(first.code as ErrorCode, first.message ?? '', { id: first.id });
    return {
      dry_run: body.dry_run,
      matched: tally.matched,
      accepted,
      refused: tally.letters.length - accepted,
      letters: tally.letters,
      unavailable: tally.unavailable,
    };
  }

  async #settleIds(ids: readonly string[], limit: number, settle: Settle, tally: Tally): Promise<void> {
    const byService = Map.groupBy(new Set(ids), serviceOf);
    for (const id of byService.get(undefined) ?? []) {
      tally.matched += 1;
      const message = `There is no dead letter "${id}".`;
      tally.letters.push({ id, accepted: false, code: 'DEAD_LETTER.NOT_FOUND', message });
    }
    for (const [service, own] of byService)
      if (service) await this.#ask(service, { ids: own, limit: limit - tally.letters.length }, settle, tally);
  }

  async #settleMatching({ filter, reason, limit }: Body, settle: Settle, tally: Tally): Promise<void> {
    const message = filterMessage(reason === undefined ? filter : { code: reason });
    const asked = services.filter((name) => filter?.service === undefined || name === filter.service);
    for (const service of asked)
      await this.#ask(service, { ids: [], filter: message, limit: limit - tally.letters.length }, settle, tally);
  }

  async #ask(service: ServiceName, selection: Selection, settle: Settle, tally: Tally): Promise<void> {
    if (selection.limit! < 1) return;
    try {
      const { letters, matched } = await settle(service, selection, tally.letters.length);
      tally.matched += Number(matched);
      for (const { id, accepted, code, message } of letters)
        tally.letters.push({ id, accepted, code: code || null, message: message || null });
    } catch (cause) {
      const error = asRagmeshError(cause);
      if (error.retry === 'permanent') throw error;
      tally.unavailable.push(service);
    }
  }
}
