-- What is on record about tickets: written before a tracker is asked for one, and after it has answered. It cannot be
-- derived from anything else, though it can be found again: each ticket has its key in its text.
CREATE TABLE ticket (
    tracker TEXT NOT NULL,
    key BYTEA NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (tracker, key)
);

-- Up to when a tracker's changes were seen, by its own clock.
CREATE TABLE ticket_cursor (
    tracker TEXT PRIMARY KEY,
    time BIGINT NOT NULL
);
