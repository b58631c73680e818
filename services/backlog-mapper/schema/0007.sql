-- Who has sent something, and the id of the risk of relying on them. Those from before are filled in beside.
CREATE TABLE supplier (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

-- Submissions of suppliers that were refused, and the rule that weighed most.
CREATE TABLE refusal (
    event BYTEA PRIMARY KEY,
    supplier TEXT NOT NULL,
    time BIGINT NOT NULL,
    rule TEXT
);
CREATE INDEX refusal_by_supplier ON refusal (supplier, time, rule);

CREATE INDEX vex_by_sender ON vex (sender, time);

-- Refusals were not kept before: the stream is read once more, where what was answered stays answered.
DELETE FROM refilled;
