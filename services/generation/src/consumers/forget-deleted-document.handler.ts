import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { HandlesEvent, type Delivery, type HandlerResult, type Message } from '@ragmesh/messaging';
import { AnswerCache } from '../adapters/answer-cache.js';
import { WithdrawalRepository, withdrawalsOf } from '../adapters/withdrawal.repository.js';

/** A deleted document is not quoted from memory: conversations lose the answers that cite it, and so do those kept for later. */
@Controller()
export class ForgetDeletedDocument {
  constructor(
    private readonly withdrawals: WithdrawalRepository,
    private readonly answers: AnswerCache,
  ) {}

  /** Redelivery is safe: an answer is taken back once, and what was forgotten is not there. */
  @HandlesEvent(catalogue.documentDeleted, { id: 'generation.forget-deleted' })
  async handle(
    @Payload() { payload, tenant }: Message<eventsV1.DocumentDeleted>,
    @Ctx() delivery: Delivery,
  ): Promise<HandlerResult> {
    const { collection, documentId } = payload;
    const withdrawal = { tenant, collection, documentId };
    await this.answers.forget(tenant, documentId); // first: what is committed is not delivered again
    return delivery.commit(async (tx) => this.withdrawals.takeBack(tx, withdrawal), [withdrawalsOf(tenant)]);
  }
}
