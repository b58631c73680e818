-- What a submitted document says of itself, who signed it and how good it is; unknown of what was
-- decided before. With it the registry tells how a supplier does.
ALTER TABLE decision ADD COLUMN product TEXT;
ALTER TABLE decision ADD COLUMN format TEXT;
ALTER TABLE decision ADD COLUMN made_at BIGINT;
ALTER TABLE decision ADD COLUMN signer TEXT;
ALTER TABLE decision ADD COLUMN grade TEXT;
CREATE INDEX decision_by_sender ON decision (sender, scope, signed, ingested_at);

ALTER TABLE supplier_document ADD COLUMN product TEXT;
ALTER TABLE supplier_document ADD COLUMN format TEXT;
ALTER TABLE supplier_document ADD COLUMN made_at BIGINT;
ALTER TABLE supplier_document ADD COLUMN signer TEXT;
ALTER TABLE supplier_document ADD COLUMN grade TEXT;
CREATE INDEX supplier_document_by_ingestion ON supplier_document (sender, scope, kind, ingested_at);

CREATE INDEX submission_by_sender ON submission (sender, scope, event_time);
