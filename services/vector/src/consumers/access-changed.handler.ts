import { timestampDate } from '@bufbuild/protobuf/wkt';
import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { HandlesEvent, skip, type Delivery, type HandlerResult, type Message } from '@ragmesh/messaging';
import { histogram } from '@ragmesh/observability';
import { ChangeAccess } from '../commands/change-access.js';

/** Who may read something changed: its points are tagged anew. What became narrower was hidden before the event was told. */
@Controller()
export class RetagPoints {
  constructor(private readonly access: ChangeAccess) {}

  /** Redelivery is safe: a list replaces those of lower revisions and itself. */
  @HandlesEvent(catalogue.accessChanged, { id: 'vector.retag-points', deadlineSeconds: 60 })
  async handle(
    @Payload() { payload, tenant }: Message<eventsV1.AccessChanged>,
    @Ctx() delivery: Delivery,
  ): Promise<HandlerResult> {
    const { collection, documentId, access, changedAt } = payload;
    if (!access) return skip('the event names no list');
    const list = access.restricted ? access.principals : null;
    const change = { tenant, collection, documentId, access: list, revision: Number(access.revision) };
    const result = await this.access.run(change, (work) => delivery.commit(work));
    if (changedAt) {
      const seconds = Math.max(0, Date.now() - timestampDate(changedAt).getTime()) / 1000;
      histogram('ragmesh_access_lag_seconds').observe({ service: 'vector' }, seconds);
    }
    return result;
  }
}
