-- The tenant of a key's owner, where it is another than the key's: an operator's own keys for other tenants end with him, too.
ALTER TABLE api_key ADD COLUMN owner_tenant text;
UPDATE api_key AS made SET owner_tenant = maker.tenant FROM api_key AS maker
WHERE made.created_by = 'key:' || maker.id AND made.tenant <> maker.tenant
  AND coalesce(made.owner, made.created_by) = coalesce(maker.owner, maker.created_by);

CREATE INDEX api_key_owner_elsewhere ON api_key (owner_tenant, (coalesce(owner, created_by))) WHERE owner_tenant IS NOT NULL;

-- Keys end with the one they were made with.
CREATE INDEX api_key_maker ON api_key (created_by);
