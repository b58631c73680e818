-- Documents that somebody submitted, what was decided about each, and what followed from known
-- vulnerabilities. `sender` is `supplier` or `operator`; `scope` is whom the sender speaks for.

CREATE TABLE submission (
    correlation BYTEA PRIMARY KEY,
    sender TEXT NOT NULL,
    scope TEXT NOT NULL,
    submission TEXT NOT NULL,
    name TEXT,
    document BYTEA,
    size BIGINT,
    bundle BYTEA,
    unreadable TEXT,
    event_time BIGINT NOT NULL,
    known_at BIGINT NOT NULL
);
CREATE INDEX submission_by_name ON submission (submission, sender, scope);
CREATE INDEX submission_by_document ON submission (document, event_time);
CREATE INDEX submission_by_bundle ON submission (bundle, event_time);

-- Two per submission: as it was decided (`signed` = 0), and as it was signed, which is the answer.
CREATE TABLE decision (
    correlation BYTEA NOT NULL,
    signed BIGINT NOT NULL,
    sender TEXT NOT NULL,
    scope TEXT NOT NULL,
    submission TEXT NOT NULL,
    document BYTEA,
    result TEXT NOT NULL,
    kind TEXT,
    rule TEXT,
    policy BYTEA,
    receipt BYTEA,
    ingested_at BIGINT NOT NULL,
    event_time BIGINT NOT NULL,
    known_at BIGINT NOT NULL,
    PRIMARY KEY (correlation, signed)
);
CREATE INDEX decision_by_document ON decision (document, event_time);
CREATE INDEX decision_by_policy ON decision (policy, event_time);

-- Documents that were accepted: each once per sender, as it was ingested first.
CREATE TABLE supplier_document (
    sender TEXT NOT NULL,
    scope TEXT NOT NULL,
    digest BYTEA NOT NULL,
    kind TEXT,
    submission TEXT NOT NULL,
    correlation BYTEA NOT NULL,
    receipt BYTEA,
    policy BYTEA,
    ingested_at BIGINT NOT NULL,
    event_time BIGINT NOT NULL,
    known_at BIGINT NOT NULL,
    PRIMARY KEY (sender, scope, digest)
);

CREATE TABLE advisory_index (
    correlation BYTEA PRIMARY KEY,
    digest BYTEA NOT NULL,
    records BIGINT NOT NULL,
    event_time BIGINT NOT NULL,
    known_at BIGINT NOT NULL
);
CREATE INDEX advisory_index_by_digest ON advisory_index (digest, event_time);

-- What the mapper found when it handled what has this correlation.
CREATE TABLE mapping (
    correlation BYTEA PRIMARY KEY,
    document BYTEA,
    advisories BYTEA,
    findings BIGINT NOT NULL,
    suppressed BIGINT NOT NULL,
    event_time BIGINT NOT NULL,
    known_at BIGINT NOT NULL
);

-- Entries of the backlog that it `opened` or `closed`.
CREATE TABLE mapped_entry (
    correlation BYTEA NOT NULL,
    change TEXT NOT NULL,
    entry TEXT NOT NULL,
    event_time BIGINT NOT NULL,
    known_at BIGINT NOT NULL,
    PRIMARY KEY (correlation, change, entry)
);
CREATE INDEX mapped_entry_by_entry ON mapped_entry (entry, event_time);

-- A worker may have to handle events of several types.
UPDATE tally SET name = 'entered-build.completed-generator' WHERE name = 'entered-generator';
UPDATE tally SET name = 'entered-evidence.ready-signer' WHERE name = 'entered-signer';
UPDATE tally SET name = 'entered-evidence.signed-policy-gate' WHERE name = 'entered-policy-gate';

-- Signed verdicts were the end; now each awaits the mapper, as if it had always been there.
INSERT INTO unfinished
    (stream, sequence, worker, event_id, type, producer, priority, scope, correlation, event_time,
    known_at)
    SELECT stream, sequence, 'backlog-mapper', id, type, producer, priority, scope, correlation,
    event_time, known_at
    FROM event WHERE type = 'evidence.signed' AND producer = 'policy-gate';
INSERT INTO unfinished
    (stream, sequence, worker, event_id, type, producer, priority, scope, correlation, event_time,
    known_at)
    SELECT repeat.stream, repeat.sequence, 'backlog-mapper', event.id, event.type, event.producer,
    event.priority, event.scope, event.correlation, repeat.event_time, repeat.known_at
    FROM repeat JOIN event ON event.id = repeat.event_id
    WHERE event.type = 'evidence.signed' AND event.producer = 'policy-gate';
INSERT INTO tally (name, total)
    SELECT 'entered-evidence.signed-backlog-mapper', COUNT(*)
    FROM event WHERE type = 'evidence.signed' AND producer = 'policy-gate' HAVING COUNT(*) > 0;
