-- A document as callers see it. The row outlives the document as a tombstone, so its version numbers never repeat.
CREATE TABLE document (
  tenant text NOT NULL,
  id text NOT NULL,
  collection text NOT NULL,
  title text NOT NULL,
  status text NOT NULL,
  stage text,
  progress double precision NOT NULL DEFAULT 0,
  attempt integer NOT NULL DEFAULT 1,
  -- Newest accepted version, and the one readers see.
  version bigint NOT NULL,
  live_version bigint,
  -- Set while an id of our making stands for these bytes: the same bytes again are the same document.
  dedup_key text,
  error jsonb,
  metadata jsonb NOT NULL DEFAULT '{}',
  receipt jsonb,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, id)
);

CREATE UNIQUE INDEX document_dedup ON document (tenant, collection, dedup_key) WHERE dedup_key IS NOT NULL;
CREATE INDEX document_listed ON document (tenant, created_at DESC, id DESC);

-- One upload of a document, with what became of it.
CREATE TABLE document_version (
  tenant text NOT NULL,
  document_id text NOT NULL,
  version bigint NOT NULL,
  kind text NOT NULL,
  file_name text NOT NULL,
  media_type text NOT NULL,
  size_bytes bigint NOT NULL,
  sha256 text NOT NULL,
  blob_key text NOT NULL,
  text_blob_key text,
  chunk_size integer NOT NULL,
  chunk_overlap integer NOT NULL,
  chunks integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, document_id, version)
);

CREATE INDEX document_version_blob ON document_version (tenant, blob_key);
CREATE INDEX document_version_text_blob ON document_version (tenant, text_blob_key);

-- Where the chunks of a version lie in its text, a batch a row: [start, end, page, heading, metadata] each.
CREATE TABLE chunk_batch (
  tenant text NOT NULL,
  document_id text NOT NULL,
  version bigint NOT NULL,
  batch integer NOT NULL,
  spans jsonb NOT NULL,
  PRIMARY KEY (tenant, document_id, version, batch)
);

-- Blobs that may have lost their last reference; removed once that is sure.
CREATE TABLE blob_garbage (
  tenant text NOT NULL,
  blob_key text NOT NULL,
  PRIMARY KEY (tenant, blob_key)
);
