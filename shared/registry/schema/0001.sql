-- Facts, each with `event_time` (when it came to be) and `known_at` (when its stream stored it),
-- in microseconds since 1970. Ids are 16 bytes, digests the 32 of SHA-256.

CREATE TABLE event (
    id BYTEA PRIMARY KEY,
    type TEXT NOT NULL,
    producer TEXT,
    correlation BYTEA NOT NULL,
    cause BYTEA,
    priority TEXT NOT NULL,
    scope TEXT NOT NULL,
    source TEXT NOT NULL,
    stream TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    payload_digest BYTEA NOT NULL,
    event_time BIGINT NOT NULL,
    known_at BIGINT NOT NULL
);
CREATE INDEX event_by_correlation ON event (correlation);

-- A later message with the id of a known event: a replay, or (`same` = 0) a conflict.
CREATE TABLE repeat (
    stream TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    event_id BYTEA NOT NULL,
    replay_of BIGINT,
    same BIGINT NOT NULL,
    event_time BIGINT NOT NULL,
    known_at BIGINT NOT NULL,
    PRIMARY KEY (stream, sequence)
);
CREATE INDEX repeat_by_event ON repeat (event_id);
CREATE INDEX repeat_by_replay ON repeat (replay_of);

-- A message that is not what its stream carries.
CREATE TABLE foreign_message (
    stream TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    subject TEXT NOT NULL,
    problem TEXT NOT NULL,
    replay_of BIGINT,
    event_time BIGINT NOT NULL,
    known_at BIGINT NOT NULL,
    PRIMARY KEY (stream, sequence)
);
CREATE INDEX foreign_message_by_replay ON foreign_message (replay_of);

CREATE TABLE build (
    correlation BYTEA PRIMARY KEY,
    project TEXT NOT NULL,
    kind TEXT NOT NULL,
    run TEXT NOT NULL,
    version TEXT,
    source_repository TEXT,
    source_reference TEXT,
    source_commit TEXT,
    builder TEXT NOT NULL,
    event_time BIGINT NOT NULL,
    known_at BIGINT NOT NULL
);

CREATE TABLE artifact (
    correlation BYTEA NOT NULL,
    name TEXT NOT NULL,
    digest BYTEA NOT NULL,
    size BIGINT,
    event_time BIGINT NOT NULL,
    known_at BIGINT NOT NULL,
    PRIMARY KEY (correlation, name)
);
CREATE INDEX artifact_by_digest ON artifact (digest, event_time);

CREATE TABLE input (
    correlation BYTEA NOT NULL,
    path TEXT NOT NULL,
    digest BYTEA NOT NULL,
    size BIGINT NOT NULL,
    event_time BIGINT NOT NULL,
    known_at BIGINT NOT NULL,
    PRIMARY KEY (correlation, path)
);
CREATE INDEX input_by_digest ON input (digest, event_time);

-- What several events name has the times of the one that was stored first.
CREATE TABLE document (
    correlation BYTEA NOT NULL,
    producer TEXT NOT NULL,
    role TEXT NOT NULL,
    name TEXT NOT NULL,
    digest BYTEA NOT NULL,
    size BIGINT NOT NULL,
    media_type TEXT NOT NULL,
    event_time BIGINT NOT NULL,
    known_at BIGINT NOT NULL,
    PRIMARY KEY (correlation, producer, role, name, digest)
);
CREATE INDEX document_by_digest ON document (digest, event_time);

CREATE TABLE statement (
    correlation BYTEA NOT NULL,
    producer TEXT NOT NULL,
    digest BYTEA NOT NULL,
    predicate_type TEXT NOT NULL,
    name TEXT NOT NULL,
    event_time BIGINT NOT NULL,
    known_at BIGINT NOT NULL,
    PRIMARY KEY (correlation, producer, digest, name)
);
CREATE INDEX statement_by_digest ON statement (digest, event_time);

CREATE TABLE bundle (
    correlation BYTEA NOT NULL,
    producer TEXT NOT NULL,
    digest BYTEA NOT NULL,
    statement BYTEA NOT NULL,
    predicate_type TEXT NOT NULL,
    name TEXT NOT NULL,
    signer TEXT,
    event_time BIGINT NOT NULL,
    known_at BIGINT NOT NULL,
    PRIMARY KEY (correlation, producer, digest, name)
);
CREATE INDEX bundle_by_digest ON bundle (digest, event_time);

-- Two per build: as the gate decided (`signed` = 0), and as it was signed, which is the answer.
CREATE TABLE verdict (
    correlation BYTEA NOT NULL,
    signed BIGINT NOT NULL,
    result TEXT NOT NULL,
    policy BYTEA NOT NULL,
    report BYTEA NOT NULL,
    event_time BIGINT NOT NULL,
    known_at BIGINT NOT NULL,
    PRIMARY KEY (correlation, signed)
);
CREATE INDEX verdict_by_policy ON verdict (policy, event_time);
CREATE INDEX verdict_by_report ON verdict (report, event_time);

-- The release of a project with the newest signed `PASSED`.
CREATE TABLE newest_release (
    project TEXT PRIMARY KEY,
    correlation BYTEA NOT NULL,
    event_time BIGINT NOT NULL,
    known_at BIGINT NOT NULL
);

-- What was remembered about failures, by its number in the attempts' stream: never overwritten,
-- so that the past can be asked for.
CREATE TABLE attempt (
    number BIGINT PRIMARY KEY,
    worker TEXT NOT NULL,
    stream TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    reason TEXT NOT NULL,
    event_time BIGINT NOT NULL,
    known_at BIGINT NOT NULL
);
CREATE INDEX attempt_by_position ON attempt (stream, sequence);

CREATE TABLE quarantine (
    id BIGINT PRIMARY KEY,
    worker TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    correlation BYTEA,
    stream TEXT,
    sequence BIGINT,
    subject TEXT NOT NULL,
    event_time BIGINT NOT NULL,
    known_at BIGINT NOT NULL,
    ended TEXT,
    ended_event_time BIGINT,
    ended_known_at BIGINT
);
CREATE INDEX quarantine_by_correlation ON quarantine (correlation);
CREATE INDEX quarantine_by_position ON quarantine (stream, sequence);

-- Messages that somebody must handle, and that neither a successor nor a quarantine entry followed.
CREATE TABLE unfinished (
    stream TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    worker TEXT NOT NULL,
    event_id BYTEA,
    type TEXT NOT NULL,
    producer TEXT,
    priority TEXT,
    scope TEXT NOT NULL,
    correlation BYTEA,
    event_time BIGINT NOT NULL,
    known_at BIGINT NOT NULL,
    PRIMARY KEY (stream, sequence)
);
CREATE INDEX unfinished_by_correlation ON unfinished (correlation);

-- Sums over all facts that nobody should have to count again.
CREATE TABLE tally (
    name TEXT PRIMARY KEY,
    total BIGINT NOT NULL
);

-- How far each stream was read; `stored_at` in RFC 3339, to the nanosecond.
CREATE TABLE progress (
    stream TEXT PRIMARY KEY,
    sequence BIGINT NOT NULL,
    stored_at TEXT NOT NULL
);

-- Sequences that a stage stream skipped: `known_at` is when the message after them was stored.
CREATE TABLE gap (
    stream TEXT NOT NULL,
    first_missing BIGINT NOT NULL,
    last_missing BIGINT NOT NULL,
    event_time BIGINT NOT NULL,
    known_at BIGINT NOT NULL,
    PRIMARY KEY (stream, first_missing)
);

-- Sealed pieces of the journal.
CREATE TABLE segment (
    number BIGINT PRIMARY KEY,
    digest BYTEA NOT NULL,
    first_position BIGINT NOT NULL,
    last_position BIGINT NOT NULL,
    event_time BIGINT NOT NULL,
    known_at BIGINT NOT NULL
);

-- The journal's end that no segment holds yet, each record as its line in a segment will be.
CREATE TABLE pending (
    position BIGINT PRIMARY KEY,
    known_at BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    line BYTEA NOT NULL
);

-- The range of the segment that is being sealed: at most one row.
CREATE TABLE planned_segment (
    number BIGINT PRIMARY KEY,
    last_position BIGINT NOT NULL
);
