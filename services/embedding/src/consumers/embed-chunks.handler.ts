import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { HandlesEvent, type Delivery, type HandlerResult, type Message } from '@ragmesh/messaging';
import { histogram } from '@ragmesh/observability';
import { EmbedTexts } from '../commands/embed-texts.js';
import { chunksEmbedded } from '../publishes/chunks-embedded.event.js';

/** Longer than any batch takes, so that the time counts for a model that is still on its way. */
const DEADLINE_SECONDS = 300;

/**
 * Gives a batch of chunks its vectors. The model works outside of the transaction; redelivery is safe, because only one
 * delivery commits and publishes: what a provider charged is told once, too.
 */
@Controller()
export class EmbedChunks {
  constructor(private readonly texts: EmbedTexts) {}

  @HandlesEvent(catalogue.documentChunked, { id: 'embedding.embed-chunks', deadlineSeconds: DEADLINE_SECONDS })
  async handle(
    @Payload() { payload }: Message<eventsV1.DocumentChunked>,
    @Ctx() delivery: Delivery,
  ): Promise<HandlerResult> {
    const began = performance.now();
    const texts = payload.chunks.map(({ text }) => text);
    const embedded = await this.texts.chunks(texts, { signal: delivery.signal }, payload.model);
    const result = await delivery.commit(async (_tx, publish) => {
      publish(catalogue.chunksEmbedded, payload.documentId, chunksEmbedded(payload, embedded));
      if (!embedded.charge) return;
      const { model, tokens } = embedded.charge;
      publish(catalogue.embeddingCompleted, model, { model, tokens: BigInt(Math.round(tokens)) });
    });
    histogram('ragmesh_stage_duration_seconds').observe({ stage: 'embed' }, (performance.now() - began) / 1000);
    return result;
  }
}
