import { Controller, Get, Inject, Res } from '@nestjs/common';
import { SETTINGS } from '@ragmesh/bootstrap';
import type { Setting } from '@ragmesh/config';
import { operationsV1 } from '@ragmesh/contracts';
import { GrpcClients } from '@ragmesh/grpc';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Describe } from '../openapi/describe.js';
import { EveryService, services } from './every-service.js';

const settingSchema = z.object({
  service: z.string().describe('Whose process'),
  name: z.string().describe('Environment variable'),
  value: z.string().nullable().describe('As written in the environment; null for what is not set and for every secret'),
  set: z.boolean().describe('Whether there is a value, shown or not'),
  secret: z.boolean(),
  source: z.enum(['default', 'env', 'file']).describe('file: from the file that `NAME_FILE` names'),
  description: z.string(),
});
const settingsAnswer = z.object({
  data: z.array(settingSchema),
  unavailable: z.array(z.string()).describe('Services that did not answer and are missing here'),
});
type SettingBody = z.input<typeof settingSchema>;

/** What the processes of all services were started with, this one's included; secrets never leave their process. */
@Controller('v1/admin/settings')
export class SettingsController {
  constructor(
    private readonly clients: GrpcClients,
    private readonly every: EveryService,
    @Inject(SETTINGS) private readonly own: readonly Setting[],
  ) {}

  @Get()
  @Describe({
    summary: 'List the settings every service was started with, secrets left out',
    tag: 'Administration',
    answers: [{ status: 200, description: 'Every variable of every service', schema: settingsAnswer }],
    problems: [],
  })
  async list(@Res({ passthrough: true }) reply: FastifyReply): Promise<z.input<typeof settingsAnswer>> {
    const { answers, unavailable } = await this.every.askAny(services, reply, (name, options) =>
      this.clients.of(operationsV1.SettingService, name).listSettings({}, options),
    );
    const theirs = answers.flatMap(({ settings }) => settings.map(settingBody));
    return { data: [...this.own.map(ownBody), ...theirs], unavailable: [...unavailable] };
  }
}

const ownBody = ({ name, value, isSet, isSecret, source, description }: Setting): SettingBody => ({
  service: 'gateway',
  ...{ name, value: value ?? null, set: isSet, secret: isSecret, source, description },
});

const settingBody = (setting: operationsV1.Setting): SettingBody => ({
  service: setting.service,
  name: setting.name,
  value: setting.value ?? null,
  set: setting.set,
  secret: setting.secret,
  source: setting.source as SettingBody['source'],
  description: setting.description,
});
