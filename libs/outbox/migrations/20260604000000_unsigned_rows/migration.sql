-- Rows that waited when a release that signs events took over from one that did not: the relay signs them in its stead. No row
-- that comes later is one, so an event that somebody else wrote is never signed by accident.
ALTER TABLE outbox ADD COLUMN unsigned boolean NOT NULL DEFAULT false;
UPDATE outbox SET unsigned = true WHERE published_at IS NULL AND NOT headers ? 'ragmesh-signature';
