-- What came in, and what follows from it. Times are microseconds since 1970, ids of events 16
-- bytes, digests the 32 of SHA-256; `slot.id` and `inventory.id` are digests of what they are.

-- The answer to each event that was handled; a repeated event gets it again.
CREATE TABLE mapped (
    event BYTEA PRIMARY KEY,
    answer TEXT NOT NULL
);

CREATE TABLE slot (
    id BYTEA PRIMARY KEY,
    kind TEXT NOT NULL,
    scope TEXT NOT NULL,
    product TEXT NOT NULL
);

-- Components, shared by all documents that have the same ones; and what the advisory index
-- `matched_by` knows about them.
CREATE TABLE inventory (
    id BYTEA PRIMARY KEY,
    components BIGINT NOT NULL,
    matched_by BYTEA,
    found TEXT NOT NULL
);
CREATE INDEX inventory_by_index ON inventory (matched_by, id);

CREATE TABLE component (
    inventory BYTEA NOT NULL,
    position BIGINT NOT NULL,
    name TEXT NOT NULL,
    version TEXT,
    purl TEXT,
    bom_ref TEXT,
    PRIMARY KEY (inventory, position)
);
CREATE INDEX component_by_name ON component (name);
CREATE INDEX component_by_purl ON component (purl);

CREATE TABLE document (
    digest BYTEA PRIMARY KEY,
    inventory BYTEA NOT NULL,
    facts TEXT NOT NULL
);
CREATE INDEX document_by_inventory ON document (inventory);

-- That a document about a slot was ingested; of a supplier's document only the first time.
CREATE TABLE observation (
    event BYTEA NOT NULL,
    document BYTEA NOT NULL,
    slot BYTEA NOT NULL,
    time BIGINT NOT NULL,
    PRIMARY KEY (event, document)
);
CREATE INDEX observation_by_slot ON observation (slot, time);
CREATE INDEX observation_by_document ON observation (document);

-- Of a supplier's document only the first time, too.
CREATE TABLE vex (
    event BYTEA PRIMARY KEY,
    document BYTEA NOT NULL,
    sender TEXT NOT NULL,
    time BIGINT NOT NULL,
    statements TEXT NOT NULL
);

-- The rest is derived from the above and the advisory index, apart from ids, which stay, and
-- entries that no advisory names any more.

CREATE TABLE finding (
    slot BYTEA NOT NULL,
    component TEXT NOT NULL,
    vulnerability TEXT NOT NULL,
    state TEXT NOT NULL,
    severity TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (slot, component, vulnerability)
);

CREATE TABLE entry (
    id TEXT PRIMARY KEY,
    slot BYTEA NOT NULL,
    ecosystem TEXT NOT NULL,
    package TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (slot, ecosystem, package)
);

CREATE TABLE risk (
    id TEXT PRIMARY KEY,
    slot BYTEA NOT NULL UNIQUE
);

-- Set once the store knows what the stream kept when it was made: at most one row.
CREATE TABLE refilled (
    done BIGINT PRIMARY KEY
);

-- The advisory index by which everything above was derived: at most one row.
CREATE TABLE derived_by (
    advisories BYTEA PRIMARY KEY
);
