-- What a tenant, or one of its callers, may use in place of what the configuration says. A null leaves that to the configuration.
CREATE TABLE quota_override (
  tenant text NOT NULL,
  -- '' for the tenant as a whole, else the caller: key:<id>.
  subject text NOT NULL,
  requests_per_minute integer CHECK (requests_per_minute >= 0),
  tokens_per_day bigint CHECK (tokens_per_day >= 0),
  set_by text NOT NULL,
  set_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, subject)
);

-- Who did what. Written before it is done: what cannot be recorded is not done.
CREATE TABLE audit_entry (
  tenant text NOT NULL,
  sequence bigint GENERATED ALWAYS AS IDENTITY,
  id uuid NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- The tenant it was done to, where that is not the actor's own.
  on_tenant text NOT NULL,
  actor text NOT NULL,
  action text NOT NULL,
  target text NOT NULL,
  request_id text NOT NULL,
  trace_id text NOT NULL,
  PRIMARY KEY (tenant, sequence)
);

CREATE UNIQUE INDEX audit_entry_id ON audit_entry (id);
CREATE INDEX audit_entry_newest ON audit_entry (sequence DESC);
CREATE INDEX audit_entry_on ON audit_entry (on_tenant, sequence DESC);
CREATE INDEX audit_entry_actor ON audit_entry (tenant, actor, sequence DESC);
CREATE INDEX audit_entry_target ON audit_entry (tenant, target, sequence DESC) WHERE target <> '';

-- How it ended. An entry without one is of a process that ended before.
CREATE TABLE audit_outcome (
  tenant text NOT NULL,
  id uuid NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  status integer NOT NULL,
  code text,
  -- Ids of what was made, which nobody knew before.
  made text[] NOT NULL,
  PRIMARY KEY (tenant, id)
);

CREATE INDEX audit_outcome_made ON audit_outcome USING gin (made);

-- Append only: whoever can write here can neither change nor remove what stands here.
CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'The audit trail is append only: % of % is refused.', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE ON audit_entry
  FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_entry
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_outcome_append_only BEFORE UPDATE OR DELETE ON audit_outcome
  FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_outcome_no_truncate BEFORE TRUNCATE ON audit_outcome
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
