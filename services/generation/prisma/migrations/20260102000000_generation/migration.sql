-- generation keeps no tables of its own yet; what its answers leave behind is events.
COMMENT ON TABLE outbox IS 'Events of the generation service that wait to be published.';
