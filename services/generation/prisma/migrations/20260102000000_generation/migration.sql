-- Generation answers from the request alone and keeps nothing; its events are best effort. The messaging tables stand
-- here because every service starts with them.
COMMENT ON TABLE outbox IS 'Events of the generation service that must not be lost; empty while its events are best effort.';
