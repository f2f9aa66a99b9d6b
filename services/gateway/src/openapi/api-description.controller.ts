import { Controller, Get, Inject, Res } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import { asyncApiDocument } from '@ragmesh/contracts';
import type { FastifyReply } from 'fastify';
import type { AuthConfig } from '../auth/auth.config.js';
import { Describe } from './describe.js';
import { DescribedRoutes } from './described-routes.js';
import { docsPage } from './docs-page.js';
import { openApiDocument } from './openapi-document.js';
import { schemesOf } from './security.js';

/** What this server answers, for programs and for people. */
@Controller()
export class ApiDescriptionController {
  #document: Record<string, unknown> | undefined;

  constructor(
    private readonly routes: DescribedRoutes,
    @Inject(CONFIG) private readonly config: AuthConfig,
  ) {}

  @Get('openapi.json')
  @Describe({
    summary: 'This API as an OpenAPI 3.1 document',
    tag: 'Server',
    answers: [{ status: 200, description: 'OpenAPI', type: 'application/json' }],
    problems: [],
  })
  openApi(): Record<string, unknown> {
    return (this.#document ??= openApiDocument(this.routes.list(), schemesOf(this.config)));
  }

  @Get('asyncapi.json')
  @Describe({
    summary: 'The events of this mesh as an AsyncAPI 3 document',
    tag: 'Server',
    answers: [{ status: 200, description: 'AsyncAPI', type: 'application/json' }],
    problems: [],
  })
  asyncApi(): unknown {
    return asyncApiDocument();
  }

  @Get('docs')
  @Describe({
    summary: 'This API as a page',
    tag: 'Server',
    answers: [{ status: 200, description: 'HTML', type: 'text/html' }],
    problems: [],
  })
  async docs(@Res() reply: FastifyReply): Promise<void> {
    const { html, contentSecurityPolicy } = docsPage(this.openApi());
    await reply
      .headers({ 'content-type': 'text/html; charset=utf-8', 'content-security-policy': contentSecurityPolicy })
      .send(html);
  }
}
