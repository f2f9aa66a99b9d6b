-- Whose a conversation is; null in rows of earlier releases: then only those read it whom no access list stops.
ALTER TABLE conversation ADD COLUMN subject text COLLATE "C";
CREATE INDEX conversation_own ON conversation (tenant, subject, created_at, id);
