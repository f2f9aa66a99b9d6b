import type { AnyServiceDefinition } from '@ragmesh/bootstrap';
import { loadConfig, type Environment } from '@ragmesh/config';
import { documentService } from '@ragmesh/service-document';
import { embeddingService } from '@ragmesh/service-embedding';
import { gatewayService } from '@ragmesh/service-gateway';
import { generationService } from '@ragmesh/service-generation';
import { knowledgeService } from '@ragmesh/service-knowledge';
import { modelService } from '@ragmesh/service-model';
import { retrievalService } from '@ragmesh/service-retrieval';
import { vectorService } from '@ragmesh/service-vector';

/** The eight. The gateway comes last: once it answers, everything behind it does. */
export const backends = [
  modelService,
  embeddingService,
  vectorService,
  documentService,
  knowledgeService,
  retrievalService,
  generationService,
] as readonly unknown[] as readonly AnyServiceDefinition[];

export const edge = gatewayService as unknown as AnyServiceDefinition;

/** Whether the edge asks for credentials. */
export const isGuarded = (environment: Environment): boolean =>
  loadConfig(gatewayService.config, environment).AUTH_MODE !== 'off';
