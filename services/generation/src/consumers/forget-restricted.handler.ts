import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { HandlesEvent, skip, type Delivery, type HandlerResult, type Message } from '@ragmesh/messaging';
import { WithdrawalRepository, withdrawalsOf } from '../adapters/withdrawal.repository.js';

/**
 * A document that not everybody may read any more is not quoted from memory. Who reads a conversation is not known here, so
 * every restriction takes the answers back, whoever may still read the document.
 */
@Controller()
export class ForgetRestricted {
  constructor(private readonly withdrawals: WithdrawalRepository) {}

  /** Redelivery is safe: it takes back what was answered in between, too. */
  @HandlesEvent(catalogue.accessChanged, { id: 'generation.forget-restricted' })
  async handle(
    @Payload() { payload, tenant }: Message<eventsV1.AccessChanged>,
    @Ctx() delivery: Delivery,
  ): Promise<HandlerResult> {
    const { collection, documentId, access } = payload;
    if (!access?.restricted) return skip('everyone of the tenant may read it');
    const withdrawal = { tenant, collection, documentId };
    return delivery.commit(async (tx) => this.withdrawals.takeBack(tx, withdrawal), [withdrawalsOf(tenant)]);
  }
}
