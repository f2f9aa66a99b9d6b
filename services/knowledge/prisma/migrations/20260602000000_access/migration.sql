-- Who may read a collection: these principals, or with null everyone of the tenant. Each change has the next revision.
ALTER TABLE collection ADD COLUMN access text[], ADD COLUMN access_revision bigint NOT NULL DEFAULT 0;
