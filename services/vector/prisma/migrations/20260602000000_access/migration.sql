-- Who may read a document: these principals, or with null everyone of the tenant. A list of a lower revision is old.
ALTER TABLE document_index ADD COLUMN access text[], ADD COLUMN access_revision bigint NOT NULL DEFAULT 0;

-- A collection in which readers differ in what they see, or once did; one without such a list has no row.
CREATE TABLE collection_access (
  tenant text COLLATE "C" NOT NULL,
  collection text COLLATE "C" NOT NULL,
  access text[],
  revision bigint NOT NULL DEFAULT 0,
  -- Another one after every change of who may read what in the collection.
  stamp bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, collection)
);
