-- What a changed advisory affects: the inventories that have its package, by the 16 bytes of the key that
-- advisory indexes know a package by. What was there before is filled in beside.
CREATE TABLE package_in (
    package BYTEA NOT NULL,
    inventory BYTEA NOT NULL,
    PRIMARY KEY (package, inventory)
);

-- Whether `found` is not what the index of `derived_by` knows.
DROP INDEX inventory_by_index;
ALTER TABLE inventory DROP COLUMN matched_by;
ALTER TABLE inventory ADD COLUMN stale BIGINT NOT NULL DEFAULT 1;
CREATE INDEX inventory_stale ON inventory (id) WHERE stale = 1;

-- What the gate has said of waivers; `missed` is how often it has not named one since it did last, `gone`
-- when that became once too often.
CREATE TABLE waiver (
    id BYTEA PRIMARY KEY,
    body TEXT NOT NULL,
    missed BIGINT NOT NULL DEFAULT 0,
    gone BIGINT
);

-- Everything is derived anew with the next event.
DELETE FROM derived_by;

-- What the registers said and since when: a row whenever what they say of a thing changes, without a body
-- when they say nothing of it any more. `kind` is `entry` or `risk`, `known` when it was so first.
CREATE TABLE version (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    known BIGINT NOT NULL,
    said BYTEA NOT NULL,
    body TEXT,
    PRIMARY KEY (kind, id, known)
);
