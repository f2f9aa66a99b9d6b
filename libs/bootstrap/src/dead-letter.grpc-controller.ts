import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Controller, Inject } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { messagingV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { DeadLetterReplays, DeadLetterStore } from '@ragmesh/inbox';
import { currentContext, currentTenant } from '@ragmesh/observability';
import { toDetail, toFilter, toLetter, toSelection, toSettlement } from './dead-letter.grpc-mapper.js';
import { SERVICE_NAME } from './service-name.js';
import { tenantAsked } from './tenant-asked.js';

const MAX_LIMIT = 200;
const DEFAULT_RATE = 20;

type ListReply = MessageInitShape<typeof messagingV1.ListDeadLettersResponseSchema>;
type GroupReply = MessageInitShape<typeof messagingV1.GroupDeadLettersResponseSchema>;
type DetailReply = MessageInitShape<typeof messagingV1.DeadLetterDetailSchema>;
type SettleReply = MessageInitShape<typeof messagingV1.SettleDeadLettersResponseSchema>;

/** Every service that consumes events shows what it gave up, and takes it up again when told to. */
@Controller()
export class DeadLetterGrpcController {
  constructor(
    private readonly letters: DeadLetterStore,
    private readonly replays: DeadLetterReplays,
    @Inject(SERVICE_NAME) private readonly service: string,
  ) {}

  @GrpcMethod('DeadLetterService', 'ListDeadLetters')
  async list({ limit, cursor, filter, allTenants }: messagingV1.ListDeadLettersRequest): Promise<ListReply> {
    const wanted = Math.min(limit || 50, MAX_LIMIT);
    const letters = await this.letters.list(tenantAsked(allTenants), toFilter(filter), wanted, cursor);
    return { deadLetters: letters.map((letter) => toLetter(this.service, letter)) };
  }

  @GrpcMethod('DeadLetterService', 'GroupDeadLetters')
  async group({ filter, allTenants }: messagingV1.GroupDeadLettersRequest): Promise<GroupReply> {
    const groups = await this.letters.groups(tenantAsked(allTenants), toFilter(filter));
    return {
      groups: groups.map(({ count, oldest, newest, ...cause }) => ({
        service: this.service,
        ...cause,
        count: BigInt(count),
        oldest: timestampFromDate(oldest),
        newest: timestampFromDate(newest),
      })),
    };
  }

  @GrpcMethod('DeadLetterService', 'GetDeadLetter')
  async get({ id }: messagingV1.GetDeadLetterRequest): Promise<DetailReply> {
    const tenant = currentTenant();
    const letter = await this.letters.find(tenant, id);
    if (!letter) throw new RagmeshError('DEAD_LETTER.NOT_FOUND', `There is no dead letter "${id}".`, { id });
    return toDetail(this.service, letter, await this.letters.replaysOf(tenant, id));
  }

  @GrpcMethod('DeadLetterService', 'ReplayDeadLetters')
  async replay({ selection, dryRun, rate, ahead }: messagingV1.ReplayDeadLettersRequest): Promise<SettleReply> {
    const options = { by: currentContext()!.subject, dryRun, ahead, rate: rate > 0 ? rate : DEFAULT_RATE };
    return toSettlement(await this.replays.replay(currentTenant(), toSelection(selection), options));
  }

  @GrpcMethod('DeadLetterService', 'DiscardDeadLetters')
  async discard({ selection, note, dryRun }: messagingV1.DiscardDeadLettersRequest): Promise<SettleReply> {
    return toSettlement(await this.replays.discard(currentTenant(), toSelection(selection), { note, dryRun }));
  }
}
