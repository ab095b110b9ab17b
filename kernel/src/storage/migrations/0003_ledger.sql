-- The vendor's ledger of what it issued, each entry as the line that was uploaded, and the hash
-- that the line comes to.
CREATE TABLE ledger_entry (
    seq        INTEGER PRIMARY KEY,
    hash       BLOB NOT NULL,
    license_id BLOB,
    line       BLOB NOT NULL
) STRICT;
CREATE INDEX ledger_license ON ledger_entry (license_id) WHERE license_id IS NOT NULL;

-- What of it is a license that was issued, by the hash of its payload.
CREATE TABLE issued (
    license_id BLOB NOT NULL,
    serial     INTEGER NOT NULL,
    sha256     BLOB NOT NULL,
    PRIMARY KEY (license_id, serial, sha256)
) STRICT, WITHOUT ROWID;

-- In which serial a device key reports a license, and since when: a bound license is moved by the
-- next serial, and the machine it was moved away from is no second site.
ALTER TABLE license_site ADD COLUMN serial INTEGER NOT NULL DEFAULT 0;
ALTER TABLE license_site ADD COLUMN first_at INTEGER NOT NULL DEFAULT 0;
