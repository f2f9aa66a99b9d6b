-- A seal ends by itself, too: whoever asked for it may have died. Null: of the release before, which ends with the next list.
ALTER TABLE collection_access ADD COLUMN sealed_until timestamptz;
UPDATE collection_access SET sealed_until = now() + interval '60 seconds' WHERE sealed;
