-- What a request with an Idempotency-Key was answered with. A row without status is being worked on.
CREATE TABLE idempotency_key (
  tenant text NOT NULL,
  key text NOT NULL,
  fingerprint bytea,
  status integer,
  response json,
  owner uuid NOT NULL,
  leased_until timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, key)
);

CREATE INDEX idempotency_key_expiry ON idempotency_key (expires_at);
