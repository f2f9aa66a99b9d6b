-- What was begun and finished, per event and handler. A finished row makes every further delivery a no-op.
CREATE TABLE inbox (
  event_id text NOT NULL,
  handler_id text NOT NULL,
  -- The attempt that is due; deliveries of earlier ones are stale.
  attempt integer NOT NULL DEFAULT 1,
  -- Begun and not ended: three times means the event takes the process down with it.
  starts integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  outcome text,
  PRIMARY KEY (event_id, handler_id)
);

CREATE INDEX inbox_finished ON inbox (finished_at) WHERE finished_at IS NOT NULL;

-- Events given up: original bytes, key and headers, and everything needed to act on them.
CREATE TABLE dead_letter (
  id text PRIMARY KEY,
  tenant text NOT NULL,
  handler_id text NOT NULL,
  event_id text NOT NULL,
  event_type text NOT NULL,
  subject text NOT NULL,
  origin_topic text NOT NULL,
  origin_partition integer NOT NULL,
  origin_offset bigint NOT NULL,
  key text NOT NULL,
  headers jsonb NOT NULL,
  value bytea NOT NULL,
  code text NOT NULL,
  message text NOT NULL,
  attempts integer NOT NULL,
  first_failed_at timestamptz NOT NULL,
  last_failed_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX dead_letter_recent ON dead_letter (tenant, last_failed_at DESC, id DESC);
