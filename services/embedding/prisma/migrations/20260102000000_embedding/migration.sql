-- Embedding keeps nothing but the record of what it has done: vectors travel in events and lie in the index.
COMMENT ON TABLE inbox IS 'Which batches of chunks have been embedded, by event; their vectors were published in the same transaction.';
