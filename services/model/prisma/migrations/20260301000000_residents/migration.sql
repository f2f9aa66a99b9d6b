-- What a name and revision stands for must not change, and operators decide what stays in memory.
ALTER TABLE model ADD COLUMN digest text;
ALTER TABLE model ADD COLUMN pinned boolean NOT NULL DEFAULT false;
ALTER TABLE model ADD COLUMN load_requested_at timestamptz;
ALTER TABLE model ADD COLUMN unload_requested_at timestamptz;

-- Models in the memory of processes, as those last said.
CREATE TABLE resident (
  tenant text NOT NULL,
  holder text NOT NULL,
  model text NOT NULL,
  bytes bigint NOT NULL,
  seen_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, holder, model)
);
CREATE INDEX resident_by_model ON resident (tenant, model);
