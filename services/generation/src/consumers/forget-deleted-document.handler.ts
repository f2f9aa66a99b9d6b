import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { HandlesEvent, type Delivery, type HandlerResult, type Message } from '@ragmesh/messaging';
import { WithdrawalRepository, withdrawalsOf } from '../adapters/withdrawal.repository.js';

/** A deleted document is not quoted from memory: conversations lose the answers that cite it. */
@Controller()
export class ForgetDeletedDocument {
  constructor(private readonly withdrawals: WithdrawalRepository) {}

  /** Redelivery is safe: an answer is taken back once. */
  @HandlesEvent(catalogue.documentDeleted, { id: 'generation.forget-deleted' })
  async handle(
    @Payload() { payload, tenant }: Message<eventsV1.DocumentDeleted>,
    @Ctx() delivery: Delivery,
  ): Promise<HandlerResult> {
    const { collection, documentId } = payload;
    const withdrawal = { tenant, collection, documentId };
    return delivery.commit(async (tx) => this.withdrawals.takeBack(tx, withdrawal), [withdrawalsOf(tenant)]);
  }
}
