-- Whose a key is; null in rows of earlier releases: then whoever made it.
ALTER TABLE api_key ADD COLUMN owner text;

CREATE INDEX api_key_owner ON api_key (tenant, (coalesce(owner, created_by)));

-- Whose keys were all revoked: who is named here makes no more of them.
CREATE TABLE removed_owner (
  tenant text NOT NULL,
  owner text NOT NULL,
  removed_by text NOT NULL,
  removed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, owner)
);
