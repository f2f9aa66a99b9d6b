-- Settings that change at run time. They are the installation's, so they have no tenant.
CREATE TABLE flag (
  name text PRIMARY KEY,
  -- Null: the configuration decides.
  value jsonb,
  changed_by text NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now()
);

-- Who changed what, and when. Rows are added and never changed: the database itself refuses anything else.
CREATE TABLE flag_change (
  revision bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  old_value jsonb,
  new_value jsonb,
  changed_by text NOT NULL,
  request_id text NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX flag_change_of ON flag_change (name, revision DESC);
CREATE RULE flag_change_kept AS ON UPDATE TO flag_change DO INSTEAD NOTHING;
CREATE RULE flag_change_stays AS ON DELETE TO flag_change DO INSTEAD NOTHING;
