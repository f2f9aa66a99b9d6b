-- What language models were used for, added up as it comes; read by operators only.
CREATE TABLE llm_usage (
  tenant text NOT NULL,
  model text NOT NULL,
  day date NOT NULL,
  requests bigint NOT NULL,
  prompt_tokens bigint NOT NULL,
  completion_tokens bigint NOT NULL,
  cost double precision NOT NULL,
  unpriced bigint NOT NULL,
  PRIMARY KEY (tenant, model, day)
);
CREATE INDEX llm_usage_day ON llm_usage (day);
