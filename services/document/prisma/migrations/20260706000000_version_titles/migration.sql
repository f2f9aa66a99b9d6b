-- A document's row has the title and the metadata of its newest version. The versions before keep their own from when a newer one
-- was accepted, because readers see one of them until that is ready. Null: as the document, also for the release before.
ALTER TABLE document_version ADD COLUMN title text, ADD COLUMN metadata jsonb;
