-- What was charged in the running day, of a tenant ('') and of its callers (key:<id>), for gateways that count without Redis: a restart
-- gives nobody the day anew.
CREATE TABLE token_use (
  tenant text NOT NULL,
  subject text NOT NULL,
  used bigint NOT NULL,
  ends_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, subject)
);
