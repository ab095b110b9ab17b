-- Branches that follow no record that is held: those from from_seq up to the one before the branch,
-- where the chain came to head, were confirmed by this receipt, and are missing.
CREATE TABLE missing (
    branch   INTEGER PRIMARY KEY REFERENCES branch (id),
    from_seq INTEGER NOT NULL,
    head     BLOB NOT NULL,
    receipt  BLOB NOT NULL
) STRICT;
