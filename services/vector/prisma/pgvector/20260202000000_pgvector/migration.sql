-- Applied only where VECTOR_STORE is pgvector: what searches read, one row for each row of `point`.
CREATE EXTENSION IF NOT EXISTS vector;

CREATE TABLE point_search (
  tenant text COLLATE "C" NOT NULL,
  collection text COLLATE "C" NOT NULL,
  document_id text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  ordinal integer NOT NULL,
  generation integer NOT NULL,
  point_id uuid NOT NULL,
  hash bigint NOT NULL,
  dimension integer NOT NULL,
  -- An HNSW index per dimension is made when the first vector of it comes.
  embedding vector NOT NULL,
  -- Terms in the text, and each different one as a number with how often it occurs.
  length integer NOT NULL,
  term_ids integer[] NOT NULL,
  frequencies smallint[] NOT NULL,
  PRIMARY KEY (tenant, collection, document_id, version, ordinal, generation) INCLUDE (hash, length),
  FOREIGN KEY (tenant, collection, document_id, version, ordinal, generation) REFERENCES point ON DELETE CASCADE
);
CREATE INDEX point_search_point_id ON point_search (point_id);
CREATE INDEX point_search_terms ON point_search USING gin (term_ids);
