-- Which versions of a document a generation has, and how much of each: kept for batches that name their generation, so a
-- collection that was never indexed anew has none.
CREATE TABLE generation_document (
  tenant text COLLATE "C" NOT NULL,
  collection text COLLATE "C" NOT NULL,
  generation integer NOT NULL,
  document_id text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  -- Batches of the version that came, by number.
  batches integer[] NOT NULL,
  complete boolean NOT NULL,
  PRIMARY KEY (tenant, collection, document_id, version, generation)
);
