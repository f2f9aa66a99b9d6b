-- One row per running or ended saga. Deadlines are rows too, so they survive a restart.
CREATE TABLE saga (
  name text NOT NULL,
  id text NOT NULL,
  tenant text NOT NULL,
  request_id text NOT NULL,
  trace jsonb NOT NULL,
  status text NOT NULL,
  step text NOT NULL,
  data jsonb NOT NULL,
  error jsonb,
  -- Why it is being undone: failed or aborted.
  undoing text,
  revision integer NOT NULL DEFAULT 1,
  -- When the running step has to be looked at again; null once the saga has ended.
  deadline timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (name, id)
);

CREATE INDEX saga_deadline ON saga (deadline) WHERE deadline IS NOT NULL;

-- What happened, step by step: the timeline people see.
CREATE TABLE saga_step (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  saga_name text NOT NULL,
  saga_id text NOT NULL,
  step text NOT NULL,
  status text NOT NULL,
  detail text NOT NULL DEFAULT '',
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX saga_step_of ON saga_step (saga_name, saga_id, seq);
