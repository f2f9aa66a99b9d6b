ALTER TABLE saga
  -- Names the saga to operators: short, and free of the characters an id may hold.
  ADD COLUMN ref uuid NOT NULL DEFAULT gen_random_uuid(),
  -- How often the running step, or its undo, was asked for.
  ADD COLUMN attempts integer NOT NULL DEFAULT 1,
  -- Why undoing gets nowhere.
  ADD COLUMN undo_error jsonb;

CREATE UNIQUE INDEX saga_ref ON saga (ref);
CREATE INDEX saga_listed ON saga (tenant, created_at DESC, ref DESC);
