import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { catalogue, findFlag, type FlagSpec, type knowledgeV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { currentContext } from '@ragmesh/observability';
import { Outbox } from '@ragmesh/outbox';
import { FlagRepository, type FlagRow, type FlagValue } from '../adapters/flag.repository.js';

type FlagReply = MessageInitShape<typeof knowledgeV1.FlagSchema>;
type FlagsReply = MessageInitShape<typeof knowledgeV1.ListFlagsResponseSchema>;
type ChangesReply = MessageInitShape<typeof knowledgeV1.ListFlagChangesResponseSchema>;

/** Flags of the installation. Who may set them is the edge's business. */
@Controller()
export class FlagGrpcController {
  constructor(
    private readonly flags: FlagRepository,
    private readonly outbox: Outbox,
  ) {}

  /** Processes that know the latest revision cost one small statement. */
  @GrpcMethod('FlagService', 'ListFlags')
  async list({ knownRevision }: knowledgeV1.ListFlagsRequest): Promise<FlagsReply> {
    const revision = await this.flags.revision();
    if (revision > 0n && revision === knownRevision) return { revision };
    return { revision, flags: (await this.flags.list()).map(toFlag) };
  }

  /** @throws RagmeshError FLAG.NOT_FOUND, REQUEST.INVALID. */
  @GrpcMethod('FlagService', 'SetFlag')
  async set({ name, value }: knowledgeV1.SetFlagRequest): Promise<FlagReply> {
    const spec = known(name);
    const wanted = value === undefined ? null : checked(name, spec, value);
    const { subject, requestId } = currentContext()!;
    return this.outbox.transaction(async (tx, { publish }) => {
      const [row, revision] = await this.flags.set(tx, name, wanted, { subject, requestId });
      publish(catalogue.settingsChanged, name, { name, version: revision });
      return toFlag(row);
    });
  }

  /** @throws RagmeshError FLAG.NOT_FOUND. */
  @GrpcMethod('FlagService', 'ListFlagChanges')
  async changes({ name }: knowledgeV1.FlagRef): Promise<ChangesReply> {
    known(name);
    const rows = await this.flags.changes(name);
    return {
      changes: rows.map((row) => ({
        ...valueAs('oldValue', row.old_value),
        ...valueAs('newValue', row.new_value),
        changedBy: row.changed_by,
        changedAt: timestampFromDate(row.changed_at),
        requestId: row.request_id,
      })),
    };
  }
}

function known(name: string): FlagSpec {
  const spec = findFlag(name);
  if (spec) return spec;
  throw new RagmeshError('FLAG.NOT_FOUND', `There is no flag "${name}".`, { id: name });
}

function checked(name: string, spec: FlagSpec, json: string): FlagValue {
  const value = parsed(json);
  if (spec.allows(value)) return value as FlagValue;
  throw new RagmeshError('REQUEST.INVALID', `Field value of ${name} must be ${spec.expected}.`, { field: 'value' });
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

const toFlag = ({ name, value, changed_by: changedBy, changed_at }: FlagRow): FlagReply => ({
  name,
  ...valueAs('value', value),
  changedBy,
  changedAt: timestampFromDate(changed_at),
});

/** Absent in the message when the configuration decides. */
const valueAs = <Name extends string>(name: Name, value: FlagValue) =>
  (value === null ? {} : { [name]: JSON.stringify(value) }) as Partial<Record<Name, string>>;
