-- Chains, one a device key and epoch; agent is NULL for the Kernel's own.
CREATE TABLE chain (
    id             INTEGER PRIMARY KEY,
    device_key_id  BLOB NOT NULL,
    epoch          BLOB NOT NULL,
    previous_epoch BLOB NOT NULL,
    previous_seq   INTEGER NOT NULL,
    previous_head  BLOB NOT NULL,
    agent          BLOB,
    UNIQUE (device_key_id, epoch)
) STRICT;

-- A chain has one branch, unless a site was restored or copied: each second successor begins one.
CREATE TABLE branch (
    id        INTEGER PRIMARY KEY,
    chain     INTEGER NOT NULL REFERENCES chain (id),
    parent    INTEGER REFERENCES branch (id),
    first_seq INTEGER NOT NULL,
    tip_seq   INTEGER NOT NULL,
    tip_head  BLOB NOT NULL
) STRICT;
CREATE INDEX branch_chain ON branch (chain);
CREATE INDEX branch_tip ON branch (chain, tip_seq, tip_head);

-- Tenants and types of records by a small number: what a record names need not be known here.
CREATE TABLE record_tenant (
    id        INTEGER PRIMARY KEY,
    tenant_id BLOB NOT NULL UNIQUE
) STRICT;
CREATE TABLE record_kind (
    id   INTEGER PRIMARY KEY,
    kind TEXT NOT NULL UNIQUE
) STRICT;

-- id is the order of arrival. event_hash is kept only where the event is not.
-- repeats names the record that brought the same event before: a restored site sends some twice.
CREATE TABLE record (
    id            INTEGER PRIMARY KEY,
    branch        INTEGER NOT NULL REFERENCES branch (id),
    seq           INTEGER NOT NULL,
    tenant        INTEGER NOT NULL REFERENCES record_tenant (id),
    class         INTEGER NOT NULL,
    kind          INTEGER REFERENCES record_kind (id),
    event_id      BLOB,
    runtime_id    BLOB,
    recorded_at   INTEGER NOT NULL,
    received_at   INTEGER NOT NULL,
    salt          BLOB,
    event         BLOB,
    event_hash    BLOB,
    withheld      TEXT,
    head          BLOB NOT NULL,
    repeats       INTEGER,
    refused_code  TEXT,
    refused_why   TEXT,
    refused_under INTEGER REFERENCES record_tenant (id)
) STRICT;
CREATE UNIQUE INDEX record_chain ON record (branch, seq);
-- What is listed as a tenant's events, with the rowid behind it: in the order of arrival.
CREATE INDEX record_of_tenant ON record (tenant) WHERE refused_code IS NULL AND repeats IS NULL;
CREATE INDEX record_event ON record (event_id, tenant) WHERE event_id IS NOT NULL;
CREATE INDEX record_refused ON record (refused_under) WHERE refused_under IS NOT NULL;

CREATE TABLE counter (
    key          TEXT PRIMARY KEY,
    tenant_id    BLOB NOT NULL,
    window_start INTEGER,
    used         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX counter_tenant ON counter (tenant_id);

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

CREATE TABLE alert (
    id              INTEGER PRIMARY KEY,
    code            TEXT NOT NULL,
    tenant_id       BLOB NOT NULL,
    agent           BLOB,
    incident        TEXT NOT NULL,
    detail          TEXT NOT NULL,
    count           INTEGER NOT NULL,
    raised_at       INTEGER NOT NULL,
    last_at         INTEGER NOT NULL,
    acknowledged_at INTEGER,
    acknowledged_by TEXT
) STRICT;
-- One open alert an incident, whatever noticed it.
CREATE UNIQUE INDEX alert_incident ON alert (incident) WHERE acknowledged_at IS NULL;
-- With the rowid behind them, newest last.
CREATE INDEX alert_open ON alert (acknowledged_at);
CREATE INDEX alert_tenant ON alert (tenant_id);
CREATE INDEX alert_open_tenant ON alert (tenant_id, acknowledged_at);

-- Which device keys reported a license, and when last.
CREATE TABLE license_site (
    license_id    BLOB NOT NULL,
    device_key_id BLOB NOT NULL,
    at            INTEGER NOT NULL,
    PRIMARY KEY (license_id, device_key_id)
) STRICT, WITHOUT ROWID;
