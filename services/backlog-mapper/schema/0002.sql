-- What rulings on VEX need: which version of which document it is, when it was said last, and when
-- statements end.

ALTER TABLE vex ADD COLUMN edition TEXT;
ALTER TABLE vex ADD COLUMN said BIGINT;

-- An operator's document counts from its first ingestion on, too: what is said once more is not newer.
DELETE FROM vex WHERE EXISTS (
    SELECT 1 FROM vex AS first
    WHERE first.sender = vex.sender AND first.document = vex.document
        AND (first.time, first.event) < (vex.time, vex.event)
);

-- When the next statement about a slot ends, of those that suppress something.
CREATE TABLE ending (
    slot BYTEA PRIMARY KEY,
    time BIGINT NOT NULL
);
CREATE INDEX ending_by_time ON ending (time);

-- How long statements count, by which everything was derived: at most one row, none before the first
-- derivation by this release, which derives everything anew.
CREATE TABLE terms (
    text TEXT PRIMARY KEY
);

-- Which documents say something of a vulnerability, by each of its ids in small letters.
CREATE TABLE about (
    vulnerability TEXT NOT NULL,
    document BYTEA NOT NULL,
    PRIMARY KEY (vulnerability, document)
);
INSERT INTO about (vulnerability, document)
    SELECT LOWER(json_extract(said.value, '$.vulnerability')), vex.document
        FROM vex, json_each(vex.statements) AS said
    UNION
    SELECT LOWER(alias.value), vex.document
        FROM vex, json_each(vex.statements) AS said, json_each(said.value, '$.aliases') AS alias;
