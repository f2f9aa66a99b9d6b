-- Events committed with the state they tell of. A relay publishes them and notes where they lie.
CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  topic text NOT NULL,
  key text NOT NULL,
  headers jsonb NOT NULL,
  value bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  -- Not published before this time: how a retry waits, by the database's clock.
  available_at timestamptz NOT NULL DEFAULT now(),
  published_at timestamptz,
  published_partition integer,
  published_offset bigint,
  -- Why the bus will never take it; such a row is skipped and counted.
  error text
);

CREATE INDEX outbox_pending ON outbox (id) WHERE published_at IS NULL AND error IS NULL;
CREATE INDEX outbox_published ON outbox (published_at) WHERE published_at IS NOT NULL;

-- One relay at a time publishes; a frozen one is fenced off by the token, a dead one is known by its ended session.
CREATE TABLE outbox_lease (
  id integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  token bigint NOT NULL DEFAULT 0,
  holder text NOT NULL DEFAULT '',
  expires_at timestamptz NOT NULL DEFAULT '-infinity',
  session_pid integer,
  session_start timestamptz
);

INSERT INTO outbox_lease DEFAULT VALUES;
