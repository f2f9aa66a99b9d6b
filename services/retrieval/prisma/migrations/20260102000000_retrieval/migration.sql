-- retrieval keeps no tables of its own: what it finds is computed, what it tells the bus is best effort.
COMMENT ON TABLE outbox IS 'Events of the retrieval service that wait to be published.';
