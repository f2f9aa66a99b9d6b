-- One chunk with its vector. Rows are the truth, the indexes in memory are made from them. The primary key is the only
-- index: it serves the rebuild in its own order, and everything that concerns a document or a version of it.
CREATE TABLE point (
  tenant text COLLATE "C" NOT NULL,
  collection text COLLATE "C" NOT NULL,
  document_id text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  ordinal integer NOT NULL,
  start_offset integer NOT NULL,
  end_offset integer NOT NULL,
  page integer,
  -- UUIDv5 of tenant and chunk id.
  point_id uuid NOT NULL,
  -- name@revision of the model that made the vector.
  model text NOT NULL,
  heading text,
  metadata jsonb NOT NULL,
  text text NOT NULL,
  -- float32, little endian. Floats do not compress, so trying to is skipped.
  vector bytea NOT NULL,
  PRIMARY KEY (tenant, collection, document_id, version, ordinal)
);
ALTER TABLE point ALTER COLUMN vector SET STORAGE EXTERNAL;

-- What readers see of a document, its row lock orders everything that happens to the document.
CREATE TABLE document_index (
  tenant text COLLATE "C" NOT NULL,
  document_id text COLLATE "C" NOT NULL,
  collection text COLLATE "C" NOT NULL,
  visible_version bigint,
  -- The tombstone: events of versions up to this one are late and change nothing.
  dead_version bigint NOT NULL DEFAULT 0,
  -- Set while the document is deleted, a newer version clears it.
  tombstoned_at timestamptz,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, document_id)
) WITH (fillfactor = 70);
