-- Who may read a document: these principals, or with null everyone of the tenant. Each change has the next revision.
ALTER TABLE document ADD COLUMN access text[], ADD COLUMN access_revision bigint NOT NULL DEFAULT 0;

-- The lists of collections, which knowledge owns; a collection that never had one has no row.
CREATE TABLE collection_access (
  tenant text NOT NULL,
  collection text NOT NULL,
  access text[],
  revision bigint NOT NULL,
  PRIMARY KEY (tenant, collection)
);
