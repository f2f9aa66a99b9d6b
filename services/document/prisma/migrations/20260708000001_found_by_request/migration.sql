-- By itself: beside the column, readers would wait until all rows were looked at.
CREATE UNIQUE INDEX document_made_by ON document (tenant, made_by) WHERE made_by IS NOT NULL;
