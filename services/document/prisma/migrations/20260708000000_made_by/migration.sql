-- Which upload of which request made it, so that a repeat of that finds it, whatever became of it. Null: made under no key, or by the
-- release before.
ALTER TABLE document ADD COLUMN made_by uuid;
