-- Where components are in a document, once for all documents of which the same is told: `body` by position
-- in the inventory, `reported` what the documents say of vulnerabilities, and `known` of the positions that
-- were asked for what `body` comes to.
CREATE TABLE places (
    id BYTEA PRIMARY KEY,
    body TEXT NOT NULL,
    reported TEXT NOT NULL,
    known TEXT NOT NULL
);

-- None where nothing is told, and of documents from before until they come again.
ALTER TABLE document ADD COLUMN places BYTEA;

-- An entry is of one lockfile; an empty one stands for none, as of all from before.
CREATE TABLE entry_by_lock (
    id TEXT PRIMARY KEY,
    slot BYTEA NOT NULL,
    ecosystem TEXT NOT NULL,
    package TEXT NOT NULL,
    lock TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (slot, lock, ecosystem, package)
);
INSERT INTO entry_by_lock (id, slot, ecosystem, package, lock, body)
    SELECT id, slot, ecosystem, package, '', body FROM entry;
DROP TABLE entry;
ALTER TABLE entry_by_lock RENAME TO entry;

-- With the next event everything is looked up again: positions, rules and publication were not kept.
UPDATE inventory SET stale = 1;
