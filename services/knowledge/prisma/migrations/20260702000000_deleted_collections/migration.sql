-- The revision of the list that came with a deletion. Others keep what they were told and take no list of a lower revision, so
-- a collection that is made again goes on from here.
CREATE TABLE deleted_collection (
  tenant text NOT NULL,
  id text NOT NULL,
  access_revision bigint NOT NULL,
  PRIMARY KEY (tenant, id)
);
