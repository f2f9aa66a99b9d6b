-- A named group of documents.
CREATE TABLE collection (
  tenant text NOT NULL,
  id text NOT NULL,
  title text NOT NULL,
  metadata jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, id)
);

CREATE INDEX collection_listed ON collection (tenant, created_at DESC, id DESC);

-- What a collection holds, as far as events have told. Topics arrive in any order, so an entry says what is true of the
-- newest version heard of, and a deleted document leaves a tombstone that late events cannot bring back to life.
CREATE TABLE catalogue_entry (
  tenant text NOT NULL,
  document_id text NOT NULL,
  collection text NOT NULL,
  version bigint NOT NULL,
  state text NOT NULL CHECK (state IN ('accepted', 'ready', 'deleted')),
  chunks integer NOT NULL DEFAULT 0,
  title text NOT NULL DEFAULT '',
  media_type text NOT NULL DEFAULT '',
  size_bytes bigint NOT NULL DEFAULT 0,
  sha256 text NOT NULL DEFAULT '',
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, document_id)
);

CREATE INDEX catalogue_entry_counted ON catalogue_entry (tenant, collection) INCLUDE (state, chunks) WHERE state <> 'deleted';
