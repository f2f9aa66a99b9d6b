-- What becomes of a dead letter: parked, replaying, replayed or discarded.
ALTER TABLE dead_letter
  ADD COLUMN status text NOT NULL DEFAULT 'parked',
  -- Replays so far, those of letters it follows from included.
  ADD COLUMN replays integer NOT NULL DEFAULT 0,
  ADD COLUMN note text NOT NULL DEFAULT '',
  -- When it was replayed with success or discarded; it is kept a while for those who ask.
  ADD COLUMN settled_at timestamptz;

-- Ids go into URLs.
UPDATE dead_letter SET id = replace(id, '/', ':');

CREATE INDEX dead_letter_settled ON dead_letter (settled_at) WHERE settled_at IS NOT NULL;
CREATE INDEX dead_letter_of ON dead_letter (tenant, handler_id, subject);

-- Each replay of a letter and its result; a row without one is under way.
CREATE TABLE dead_letter_replay (
  letter_id text NOT NULL REFERENCES dead_letter (id) ON DELETE CASCADE,
  tenant text NOT NULL,
  number integer NOT NULL,
  requested_at timestamptz NOT NULL DEFAULT now(),
  requested_by text NOT NULL,
  result text,
  code text NOT NULL DEFAULT '',
  finished_at timestamptz,
  PRIMARY KEY (letter_id, number)
);

CREATE INDEX dead_letter_replay_open ON dead_letter_replay (requested_at) WHERE result IS NULL;
