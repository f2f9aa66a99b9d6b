-- While an empty collection is being deleted it takes no uploads.
ALTER TABLE collection_access ADD COLUMN sealed boolean NOT NULL DEFAULT false;
