-- Makings of a collection's index. A collection that was never indexed anew has no rows and one generation, number 0.
CREATE TABLE index_generation (
  tenant text NOT NULL,
  collection text NOT NULL,
  generation integer NOT NULL,
  -- building: beside what readers see; previous: kept for a rollback; failed and dropped: to be removed, or removed.
  state text NOT NULL CHECK (state IN ('building', 'live', 'previous', 'failed', 'dropped')),
  -- How it cuts documents, whatever their uploads said; null: as they said.
  chunk_size integer,
  chunk_overlap integer,
  -- The operation that builds or shows it, as callers see it, and how it compared with the one readers saw.
  operation jsonb NOT NULL DEFAULT '{}',
  quality jsonb,
  created_at timestamptz NOT NULL DEFAULT now(),
  -- When readers saw it last.
  left_at timestamptz,
  removed boolean NOT NULL DEFAULT false,
  PRIMARY KEY (tenant, collection, generation)
);
CREATE UNIQUE INDEX index_generation_live ON index_generation (tenant, collection) WHERE state = 'live';

-- Each generation cuts the text in its own way.
ALTER TABLE chunk_batch ADD COLUMN generation integer NOT NULL DEFAULT 0, DROP CONSTRAINT chunk_batch_pkey,
  ADD PRIMARY KEY (tenant, document_id, version, batch, generation);
