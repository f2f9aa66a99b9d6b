-- Accepted versions whose ingestion has not begun, because enough of their tenant's are on their way. The row holds what the
-- ingestion begins with: it runs in the context of its upload, whoever begins it.
CREATE TABLE waiting_ingestion (
  tenant text NOT NULL,
  document_id text NOT NULL,
  version bigint NOT NULL,
  -- First come, first served, within a tenant.
  seq bigint GENERATED ALWAYS AS IDENTITY,
  collection text NOT NULL,
  -- Readers see an older version of the document.
  is_update boolean NOT NULL,
  chunking jsonb,
  request_id text NOT NULL,
  subject text NOT NULL,
  trace jsonb NOT NULL,
  accepted_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, document_id, version)
);
CREATE INDEX waiting_ingestion_next ON waiting_ingestion (tenant, seq);

-- What is on its way: counted with each upload and each end of an ingestion.
CREATE INDEX saga_running_ingestion ON saga (tenant) WHERE name = 'document-ingestion' AND status = 'running';
