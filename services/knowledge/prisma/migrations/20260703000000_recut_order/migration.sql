-- Word of an earlier cut may come after that of a later one.
ALTER TABLE catalogue_entry ADD COLUMN recut_at bigint NOT NULL DEFAULT 0;
