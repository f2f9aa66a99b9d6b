import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { HandlesEvent, type Delivery, type HandlerResult, type Message } from '@ragmesh/messaging';
import { counter } from '@ragmesh/observability';
import { UsageLedger } from '../adapters/usage-ledger.js';

/** What a provider charged for the chunks of an upload is usage as answers are: prices and reports are in one place. */
@Controller()
export class ChargeEmbedding {
  constructor(private readonly ledger: UsageLedger) {}

  /** Redelivery is safe: what is committed is not counted again. */
  @HandlesEvent(catalogue.embeddingCompleted, { id: 'generation.charge-embedding' })
  async handle(
    @Payload() { payload, tenant, time }: Message<eventsV1.EmbeddingCompleted>,
    @Ctx() delivery: Delivery,
  ): Promise<HandlerResult> {
    const { model } = payload;
    const embedded = { tenant, model, tokens: Number(payload.tokens), time };
    let cost: number | undefined;
    const result = await delivery.commit(async (tx) => {
      cost = this.ledger.chargeEmbedding(tx, embedded);
    });
    if (cost !== undefined) counter('ragmesh_llm_cost_dollars_total').inc({ tenant, model }, cost);
    return result;
  }
}
