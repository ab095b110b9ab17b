-- Who is known. Every row that answers for a tenant carries it; ids, keys and hashes are blobs,
-- times are milliseconds since 1970, and what is never searched is JSON.

CREATE TABLE tenant (
    tenant_id  BLOB PRIMARY KEY,
    kind       TEXT NOT NULL,
    name       TEXT,
    standing   TEXT NOT NULL,
    policies   TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- certificates: the present one and the one before, newest last. instances: the last runs that
-- reported, newest last. report: the last one, without its runtimes.
CREATE TABLE agent (
    runtime_id    BLOB PRIMARY KEY,
    device_key    BLOB NOT NULL UNIQUE,
    device_key_id BLOB NOT NULL UNIQUE,
    standing      TEXT NOT NULL,
    certificates  TEXT NOT NULL,
    agent_version TEXT NOT NULL,
    enrolled_at   INTEGER NOT NULL,
    heartbeat_at  INTEGER,
    report        TEXT,
    instances     TEXT NOT NULL
) STRICT;

-- Position 0 is the agent's own tenant.
CREATE TABLE agent_tenant (
    runtime_id BLOB NOT NULL REFERENCES agent (runtime_id),
    position   INTEGER NOT NULL,
    tenant_id  BLOB NOT NULL REFERENCES tenant (tenant_id),
    PRIMARY KEY (runtime_id, position)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX agent_tenant_of ON agent_tenant (tenant_id, runtime_id);

CREATE TABLE runtime_token (
    token_id     BLOB PRIMARY KEY,
    hash         BLOB NOT NULL UNIQUE,
    tenant_id    BLOB NOT NULL REFERENCES tenant (tenant_id),
    runtime_type TEXT NOT NULL,
    name         TEXT,
    created_at   INTEGER NOT NULL,
    revoked_at   INTEGER
) STRICT;
CREATE INDEX runtime_token_tenant ON runtime_token (tenant_id, token_id);

-- Registered with a token, which is then this one runtime's, or through an agent.
CREATE TABLE runtime (
    runtime_id      BLOB PRIMARY KEY,
    tenant_id       BLOB NOT NULL REFERENCES tenant (tenant_id),
    token_id        BLOB UNIQUE REFERENCES runtime_token (token_id),
    agent_id        BLOB REFERENCES agent (runtime_id),
    kind            TEXT NOT NULL,
    deployment_mode TEXT NOT NULL,
    version         TEXT NOT NULL,
    capabilities    TEXT NOT NULL,
    released_on     TEXT,
    standing        TEXT NOT NULL,
    registered_at   INTEGER NOT NULL,
    heartbeat_at    INTEGER,
    health          TEXT,
    metrics         TEXT,
    CHECK ((token_id IS NULL) <> (agent_id IS NULL))
) STRICT;
CREATE INDEX runtime_tenant ON runtime (tenant_id, runtime_id);
CREATE INDEX runtime_agent ON runtime (agent_id, runtime_id) WHERE agent_id IS NOT NULL;

-- tenants: in their order, the agent's own first.
CREATE TABLE enroll_token (
    token_id     BLOB PRIMARY KEY,
    secret_hash  BLOB NOT NULL UNIQUE,
    root_sha256  BLOB NOT NULL,
    tenants      TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    revoked_at   INTEGER,
    used_by_key  BLOB,
    used_by      BLOB REFERENCES agent (runtime_id),
    used_at      INTEGER
) STRICT;

-- Every standing document in the order in which it is verified again.
CREATE TABLE document (
    position INTEGER PRIMARY KEY,
    line     BLOB NOT NULL
) STRICT;

-- The same issuer at two tenants is two providers.
CREATE TABLE provider (
    tenant_id  BLOB NOT NULL REFERENCES tenant (tenant_id),
    issuer     TEXT NOT NULL,
    name       TEXT NOT NULL,
    kind       TEXT NOT NULL,
    audience   TEXT NOT NULL,
    jwks       TEXT NOT NULL,
    role_map   TEXT NOT NULL,
    attributes TEXT NOT NULL,
    PRIMARY KEY (tenant_id, issuer)
) STRICT, WITHOUT ROWID;

CREATE TABLE identity (
    identity_id BLOB PRIMARY KEY,
    tenant_id   BLOB NOT NULL REFERENCES tenant (tenant_id),
    issuer      TEXT NOT NULL,
    external_id TEXT NOT NULL,
    provider    TEXT NOT NULL,
    roles       TEXT NOT NULL,
    attributes  TEXT NOT NULL,
    first_at    INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL,
    UNIQUE (tenant_id, issuer, external_id)
) STRICT;
CREATE INDEX identity_tenant ON identity (tenant_id, identity_id);

-- Single values of the Kernel's own, as JSON.
CREATE TABLE own_value (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
