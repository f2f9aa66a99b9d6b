-- A generation is a collection's index made anew (another model, other chunks) beside the one readers see. A row here is one
-- that was begun or shown; a collection without a shown one shows generation 0.
CREATE TABLE index_generation (
  tenant text COLLATE "C" NOT NULL,
  collection text COLLATE "C" NOT NULL,
  generation integer NOT NULL,
  live boolean NOT NULL DEFAULT false,
  PRIMARY KEY (tenant, collection, generation)
);
CREATE UNIQUE INDEX index_generation_live ON index_generation (tenant, collection) WHERE live;

-- First 64 bits of SHA-256 over model, text and vector: what a store is compared by. A copy of the release before fails its
-- upserts on the new key; the bus brings those events again to a new one.
ALTER TABLE point ADD COLUMN generation integer NOT NULL DEFAULT 0, ADD COLUMN hash bigint;
UPDATE point SET hash = ('x' || encode(substring(sha256(
  convert_to(model || E'\n' || text || E'\n', 'UTF8') || vector) FROM 1 FOR 8), 'hex'))::bit(64)::bigint;
ALTER TABLE point ALTER COLUMN hash SET NOT NULL, DROP CONSTRAINT point_pkey,
  ADD PRIMARY KEY (tenant, collection, document_id, version, ordinal, generation) INCLUDE (hash);
