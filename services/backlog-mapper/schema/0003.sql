-- Components are found by what tells them from others whoever writes it: canonical purl, CPE in lower
-- case, and the last part of the name in lower case. `written` is the purl as the document has it,
-- where that is not the canonical form. What was there before is brought into this form beside.
ALTER TABLE component ADD COLUMN written TEXT;
ALTER TABLE component ADD COLUMN cpe TEXT;
ALTER TABLE component ADD COLUMN short_name TEXT NOT NULL DEFAULT '';
DROP INDEX component_by_name;
CREATE INDEX component_by_short_name ON component (short_name);
CREATE INDEX component_by_cpe ON component (cpe) WHERE cpe IS NOT NULL;

-- The document that counts, derived like what follows from it.
ALTER TABLE slot ADD COLUMN current BYTEA;
UPDATE slot SET current = (
    SELECT document FROM observation WHERE observation.slot = slot.id
    ORDER BY time DESC, document DESC, event DESC LIMIT 1
);

-- With the next event everything is derived anew.
UPDATE inventory SET matched_by = NULL;
