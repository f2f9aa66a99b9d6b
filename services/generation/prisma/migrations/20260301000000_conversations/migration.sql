-- One exchange of questions and answers. Its row lock orders what is appended.
CREATE TABLE conversation (
  tenant text COLLATE "C" NOT NULL,
  -- A UUIDv7, or the caller's own id.
  id text COLLATE "C" NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  -- Of the newest turn, from 1; 0 while there is none.
  last_ordinal integer NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, id)
) WITH (fillfactor = 70);
CREATE INDEX conversation_newest ON conversation (tenant, created_at, id);
CREATE INDEX conversation_idle ON conversation (updated_at);

-- What was asked or answered. The foreign key makes a deletion complete, also beside an answer that is being kept.
CREATE TABLE conversation_turn (
  tenant text COLLATE "C" NOT NULL,
  conversation_id text COLLATE "C" NOT NULL,
  ordinal integer NOT NULL,
  role text NOT NULL CHECK (role IN ('user', 'assistant')),
  text text NOT NULL,
  request_id text NOT NULL,
  -- Of an answer: the documents it cites.
  document_ids text[] NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, conversation_id, ordinal),
  FOREIGN KEY (tenant, conversation_id) REFERENCES conversation (tenant, id) ON DELETE CASCADE
);

-- What a reader thought of an answer: one judgement per reader and answer, the last one counts.
CREATE TABLE feedback (
  tenant text COLLATE "C" NOT NULL,
  -- The request whose answer is judged.
  request_id text COLLATE "C" NOT NULL,
  -- Who judges.
  subject text COLLATE "C" NOT NULL,
  -- A UUIDv7.
  id text COLLATE "C" NOT NULL,
  rating text NOT NULL CHECK (rating IN ('up', 'down')),
  comment text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, request_id, subject)
);
CREATE UNIQUE INDEX feedback_newest ON feedback (tenant, created_at, id);
CREATE INDEX feedback_idle ON feedback (updated_at);
