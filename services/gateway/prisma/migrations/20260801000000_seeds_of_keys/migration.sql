-- What documents are made under that a key makes; it stays when somebody else takes the work over. Null: claimed by the release before.
ALTER TABLE idempotency_key ADD COLUMN seed uuid;
