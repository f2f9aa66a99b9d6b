-- What searches and reindexes of a collection take that say nothing else.
ALTER TABLE collection ADD COLUMN settings jsonb NOT NULL DEFAULT '{}';
