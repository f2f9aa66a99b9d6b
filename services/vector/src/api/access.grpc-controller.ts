import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { vectorV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { currentTenant } from '@ragmesh/observability';
import { AccessRepository } from '../adapters/access.repository.js';
import { ChangeAccess } from '../commands/change-access.js';

/** Who sees what in searches, as the services that own the lists and those that keep results ask. */
@Controller()
export class AccessGrpcController {
  constructor(
    private readonly access: AccessRepository,
    private readonly changing: ChangeAccess,
  ) {}

  @GrpcMethod('VectorService', 'GetAccess')
  async get({ collection }: vectorV1.GetAccessRequest): Promise<{ stamp: bigint; restricted: boolean }> {
    const known = await this.access.find({ tenant: currentTenant(), collection });
    return { stamp: BigInt(known?.stamp ?? 0), restricted: known !== undefined };
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
