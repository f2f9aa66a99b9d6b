-- The documents readers see of a collection: a reindex looks for those it lacks among them, however many there are of others.
CREATE INDEX document_index_shown ON document_index (tenant, collection, document_id) INCLUDE (visible_version)
  WHERE visible_version IS NOT NULL;
