import { timestampDate, type Timestamp } from '@bufbuild/protobuf/wkt';
import { Body, Controller, Get, Param, Put, Res } from '@nestjs/common';
import { findFlag, flagCatalogue, type FlagSpec, type knowledgeV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { Calls } from '../api/calls.js';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import { flagSchema, flagWithChanges, flagsAnswer, newFlag } from './flags.schema.js';

type FlagBody = z.input<typeof flagSchema>;
type Value = FlagBody['value'];

/** Settings of the whole installation that change without a restart. Knowledge keeps them; every process asks it. */
@Controller('v1/admin/flags')
export class FlagsController {
  constructor(private readonly calls: Calls) {}

  @Get()
  @Describe({
    summary: 'List the settings that can change at run time, with who changed them last',
    tag: 'Administration',
    answers: [{ status: 200, description: 'All there are', schema: flagsAnswer }],
    problems: [],
  })
  async list(@Res({ passthrough: true }) reply: FastifyReply): Promise<z.input<typeof flagsAnswer>> {
    const { flags } = await this.calls.flags.listFlags({}, this.calls.unary(reply));
    const specs = Object.entries(flagCatalogue);
    return {
      data: specs.map(([name, spec]) =>
        flagBody(
          name,
          spec,
          flags.find((flag) => flag.name === name),
        ),
      ),
    };
  }

  @Get(':name')
  @Describe({
    summary: 'Get a setting with its changes: who, when, from what to what',
    tag: 'Administration',
    answers: [{ status: 200, description: 'The setting', schema: flagWithChanges }],
    problems: ['FLAG.NOT_FOUND'],
  })
  async get(
    @Param('name') name: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof flagWithChanges>> {
    const spec = specOf(name);
    const options = this.calls.unary(reply);
    const [{ flags }, { changes }] = await Promise.all([
      this.calls.flags.listFlags({}, options),
      this.calls.flags.listFlagChanges({ name }, options),
    ]);
    const flag = flags.find((each) => each.name === name);
    return { ...flagBody(name, spec, flag), changes: changes.map(changeBody) };
  }

  @Put(':name')
  @Describe({
    summary: 'Change a setting; every process follows within seconds',
    tag: 'Administration',
    body: { 'application/json': newFlag },
    example: { value: false },
    answers: [{ status: 200, description: 'The setting', schema: flagSchema }],
    problems: ['FLAG.NOT_FOUND'],
  })
  async set(@Param('name') name: string, @Body(valid(newFlag)) { value }: z.output<typeof newFlag>): Promise<FlagBody> {
    const given = value === null ? {} : { value: JSON.stringify(value) };
    const flag = await this.calls.flags.setFlag({ name, ...given }, this.calls.write());
    return flagBody(name, specOf(name), flag);
  }
}

function specOf(name: string): FlagSpec {
  const spec = findFlag(name);
  if (spec) return spec;
  throw new RagmeshError('FLAG.NOT_FOUND', `There is no flag "${name}".`, { id: name });
}

const valueOf = (json: string | undefined): Value => (json === undefined ? null : (JSON.parse(json) as Value));
const instant = (time: Timestamp | undefined): string | null => (time ? timestampDate(time).toISOString() : null);

const flagBody = (name: string, spec: FlagSpec, flag: knowledgeV1.Flag | undefined): FlagBody => ({
  name,
  value: valueOf(flag?.value),
  variable: spec.variable,
  type: spec.type,
  expected: spec.expected,
  read_by: spec.readBy,
  description: spec.summary,
  changed_by: flag?.changedBy ?? null,
  changed_at: instant(flag?.changedAt),
});

const changeBody = (change: knowledgeV1.FlagChange) => ({
  old_value: valueOf(change.oldValue),
  new_value: valueOf(change.newValue),
  changed_by: change.changedBy,
  changed_at: instant(change.changedAt) ?? '',
  request_id: change.requestId,
});
