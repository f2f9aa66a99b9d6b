import type { AnyServiceDefinition } from '@ragmesh/bootstrap';
import { documentService } from '@ragmesh/service-document';
import { embeddingService } from '@ragmesh/service-embedding';
import { gatewayService } from '@ragmesh/service-gateway';
import { generationService } from '@ragmesh/service-generation';
import { knowledgeService } from '@ragmesh/service-knowledge';
import { modelService } from '@ragmesh/service-model';
import { retrievalService } from '@ragmesh/service-retrieval';
import { vectorService } from '@ragmesh/service-vector';

/** The eight: what they read and what their databases must have. */
export const services = [
  gatewayService,
  documentService,
  embeddingService,
  vectorService,
  knowledgeService,
  retrievalService,
  generationService,
  modelService,
] as readonly unknown[] as readonly AnyServiceDefinition[];
