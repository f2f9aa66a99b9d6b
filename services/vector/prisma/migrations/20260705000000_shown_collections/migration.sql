-- Another stamp after every change of what readers see of a collection, so that nothing found before is taken for what is there now.
-- Only where searches are made of rows or of a server: what is in the memory of one process has its stamp there.
CREATE TABLE shown_collection (
  tenant text COLLATE "C" NOT NULL,
  collection text COLLATE "C" NOT NULL,
  stamp uuid NOT NULL,
  PRIMARY KEY (tenant, collection)
);
