-- A reindex asks for the documents of its collection many times; the tenant may have any number beside them.
CREATE INDEX document_of_collection ON document (tenant, collection);
