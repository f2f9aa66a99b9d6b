-- The embedding model a generation was built with, as name@revision; null: the one this installation embeds with.
ALTER TABLE index_generation ADD COLUMN model text;
