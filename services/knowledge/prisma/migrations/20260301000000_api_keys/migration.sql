-- What lets a program in. Only a hash of the secret is kept; a revoked key stays for the record.
CREATE TABLE api_key (
  tenant text NOT NULL,
  id text NOT NULL,
  name text NOT NULL,
  roles text[] NOT NULL,
  secret_sha256 bytea NOT NULL CHECK (octet_length(secret_sha256) = 32),
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz,
  PRIMARY KEY (tenant, id)
);

-- A key is looked up before its tenant is known.
CREATE UNIQUE INDEX api_key_id ON api_key (id);

CREATE INDEX api_key_listed ON api_key (tenant, created_at DESC, id DESC);
