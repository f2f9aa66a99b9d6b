import { Injectable } from '@nestjs/common';
import { SagaEngines } from '@ragmesh/saga';
import { DeleteDocument } from '../commands/delete-document.js';
import { IngestionProcess } from '../commands/ingestion-process.js';
import { ReindexProcess } from '../commands/reindex-process.js';

/** Makes this service's sagas known to the timer and to operators. */
@Injectable()
export class DocumentSagas {
  constructor(engines: SagaEngines, ingestion: IngestionProcess, deletion: DeleteDocument, reindex: ReindexProcess) {
    engines.add(ingestion.engine);
    engines.add(deletion.engine);
    engines.add(reindex.engine);
  }
}
