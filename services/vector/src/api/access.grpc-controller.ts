import type { MessageInitShape } from '@bufbuild/protobuf';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { vectorV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { currentTenant } from '@ragmesh/observability';
import { AccessRepository } from '../adapters/access.repository.js';
import { VectorStore } from '../adapters/vector-store.js';
import { ChangeAccess } from '../commands/change-access.js';

/** Who sees what in searches, as the services that own the lists and those that keep results ask. */
@Controller()
export class AccessGrpcController {
  constructor(
    private readonly access: AccessRepository,
    private readonly changing: ChangeAccess,
    private readonly store: VectorStore,
  ) {}

  @GrpcMethod('VectorService', 'GetAccess')
  async get({
    collection,
  }: vectorV1.GetAccessRequest): Promise<MessageInitShape<typeof vectorV1.GetAccessResponseSchema>> {
    const scope = { tenant: currentTenant(), collection };
    const [known, shown] = await Promise.all([this.access.find(scope), this.store.shownStamp(scope)]);
    return { stamp: BigInt(known?.stamp ?? 0), restricted: known !== undefined, shown };
  }

  /** Safe to repeat. @throws RagmeshError DEPENDENCY.UNAVAILABLE when a newer list is known, so that this one does not hold. */
  @GrpcMethod('VectorService', 'RestrictAccess')
  async restrict(request: vectorV1.RestrictAccessRequest): Promise<object> {
    const { collection, documentId, principals, revision } = request;
    const change = { tenant: currentTenant(), collection, documentId };
    const { kind } = await this.changing.run({ ...change, access: principals, revision: Number(revision) });
    if (kind === 'skip') throw new RagmeshError('DEPENDENCY.UNAVAILABLE', 'The index knows a newer access list.');
    return {};
  }
}
