-- Every row that answers a caller carries its tenant; times are milliseconds since 1970.

-- Tenants by a small number: a record names its tenant in one byte instead of sixteen.
CREATE TABLE tenant (
    id        INTEGER PRIMARY KEY,
    tenant_id BLOB NOT NULL UNIQUE
) STRICT;

-- The chain's opening; one row, the epoch this database was born with.
CREATE TABLE epoch (
    id             INTEGER PRIMARY KEY CHECK (id = 1),
    epoch          BLOB NOT NULL,
    device_key_id  BLOB NOT NULL,
    previous_epoch BLOB NOT NULL,
    previous_seq   INTEGER NOT NULL,
    previous_head  BLOB NOT NULL,
    opened_at      INTEGER NOT NULL
) STRICT;

-- The chain. There is no outbox: unsent is seq > the last receipt's.
-- event_hash is kept only where the event itself no longer is.
CREATE TABLE record (
    seq         INTEGER PRIMARY KEY,
    recorded_at INTEGER NOT NULL,
    tenant      INTEGER NOT NULL REFERENCES tenant (id),
    class       INTEGER NOT NULL,
    event_id    BLOB NOT NULL,
    salt        BLOB,
    event       BLOB,
    event_hash  BLOB,
    head        BLOB NOT NULL
) STRICT;
-- A retry finds its event here. UUIDv7 ids arrive nearly sorted, so this grows at its end.
CREATE UNIQUE INDEX record_event ON record (event_id, tenant);

CREATE TABLE receipt (
    seq        INTEGER PRIMARY KEY,
    line       BLOB NOT NULL,
    applied_at INTEGER NOT NULL
) STRICT;

-- Losses that policy allowed, by reason, since the epoch began.
CREATE TABLE lost (
    reason TEXT PRIMARY KEY,
    events INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Every standing document in the order in which it is verified again.
CREATE TABLE document (
    position INTEGER PRIMARY KEY,
    line     BLOB NOT NULL
) STRICT;

CREATE TABLE token (
    token_id     BLOB PRIMARY KEY,
    hash         BLOB NOT NULL UNIQUE,
    tenant_id    BLOB NOT NULL,
    runtime_type TEXT NOT NULL,
    name         TEXT,
    created_at   INTEGER NOT NULL,
    revoked_at   INTEGER
) STRICT;

-- One token is one runtime: its first registration fixes the id.
CREATE TABLE runtime (
    runtime_id      BLOB PRIMARY KEY,
    tenant_id       BLOB NOT NULL,
    token_id        BLOB NOT NULL UNIQUE REFERENCES token (token_id),
    deployment_mode TEXT NOT NULL,
    version         TEXT NOT NULL,
    capabilities    TEXT NOT NULL,
    released_on     TEXT,
    registered_at   INTEGER NOT NULL,
    heartbeat_at    INTEGER,
    health          TEXT
) STRICT;

CREATE TABLE counter (
    key          TEXT PRIMARY KEY,
    tenant_id    BLOB NOT NULL,
    window_start INTEGER,
    used         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
    tenant_id   BLOB NOT NULL,
    runtime_id  BLOB NOT NULL,
    key         TEXT NOT NULL,
    body_sha256 BLOB NOT NULL,
    answer      BLOB NOT NULL,
    expires_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, runtime_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_expiry ON idempotency (expires_at);
-- Kept beside the rows so that nothing is ever counted in line.
CREATE TABLE idempotency_keys (
    runtime_id BLOB PRIMARY KEY,
    keys       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The agent's own small state, each a JSON text: clock, nonce.
CREATE TABLE own (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
