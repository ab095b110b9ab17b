-- Records whose content the Kernel refused: it has them in the chain, people should look at them.
CREATE TABLE dead_letter (
    seq        INTEGER PRIMARY KEY,
    tenant     INTEGER NOT NULL REFERENCES tenant (id),
    event_id   BLOB NOT NULL,
    code       TEXT NOT NULL,
    detail     TEXT NOT NULL,
    event      BLOB,
    refused_at INTEGER NOT NULL
) STRICT;
CREATE INDEX dead_letter_tenant ON dead_letter (tenant, seq);
