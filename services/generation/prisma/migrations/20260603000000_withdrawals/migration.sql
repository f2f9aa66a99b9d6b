-- An answer is taken back when a document it cites is deleted, or somebody may not read it any more.
ALTER TABLE conversation_turn ADD COLUMN collection text COLLATE "C" NOT NULL DEFAULT '',
  ADD COLUMN withdrawn boolean NOT NULL DEFAULT false;
CREATE INDEX conversation_turn_cites ON conversation_turn USING gin (document_ids) WHERE NOT withdrawn;
CREATE INDEX conversation_turn_collection ON conversation_turn (tenant, collection) WHERE NOT withdrawn AND role = 'assistant';

-- What was taken back lately, for answers that are being written meanwhile. Without a document: all of a collection.
CREATE TABLE withdrawal (
  tenant text COLLATE "C" NOT NULL,
  collection text COLLATE "C" NOT NULL,
  document_id text COLLATE "C" NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, collection, document_id)
);
CREATE INDEX withdrawal_old ON withdrawal (at);
