-- Models that were resolved and verified: from where, and when last. They belong to the installation, whose tenant is default.
CREATE TABLE model (
  tenant text NOT NULL,
  name text NOT NULL,
  revision text NOT NULL,
  folder text NOT NULL,
  bytes bigint NOT NULL,
  dimension integer NOT NULL,
  resolved_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, name, revision)
);
