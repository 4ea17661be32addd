"""The tables of online.sqlite, and the step from each schema version to the next."""

from __future__ import annotations

import sqlite3

SCHEMA_VERSION = 5
READABLE_VERSIONS = (1, 2, 3, 4, 5)
"""1 knew no changes of single photos, 2 no feedback, 3 no jobs that adapt, 4 not whose key queued a job. They are read
as they are, and become 5 with the first change.
"""

# Vectors are kept for each bundle: a change of bundle and back again encodes no photo twice.
_FIRST = """
CREATE TABLE adapters (
    number INTEGER PRIMARY KEY AUTOINCREMENT, adapter_id TEXT NOT NULL UNIQUE,
    scope TEXT NOT NULL CHECK (scope IN ('category', 'profile')), name TEXT NOT NULL, version INTEGER NOT NULL,
    bundle_id TEXT NOT NULL, adaptation_id TEXT NOT NULL, method TEXT NOT NULL, k INTEGER NOT NULL, margin REAL,
    leave_one_out TEXT NOT NULL, activated INTEGER NOT NULL, reason TEXT NOT NULL, created_at TEXT NOT NULL,
    photos_added TEXT NOT NULL, timings_ms TEXT NOT NULL, arrays BLOB NOT NULL,
    UNIQUE (scope, name, version));
CREATE TABLE support (
    adapter INTEGER NOT NULL REFERENCES adapters (number) ON DELETE CASCADE, position INTEGER NOT NULL,
    sketch BLOB NOT NULL, sketch_vector BLOB NOT NULL, photo_id TEXT NOT NULL,
    PRIMARY KEY (adapter, position)) WITHOUT ROWID;
CREATE TABLE activations (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    adapter INTEGER NOT NULL REFERENCES adapters (number) ON DELETE CASCADE);
CREATE TABLE photos (
    number INTEGER PRIMARY KEY AUTOINCREMENT, photo_id TEXT NOT NULL UNIQUE, category TEXT NOT NULL,
    sha256 TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL, created_at TEXT NOT NULL,
    adapter_id TEXT NOT NULL);
CREATE TABLE photo_vectors (
    photo INTEGER NOT NULL REFERENCES photos (number) ON DELETE CASCADE, bundle_id TEXT NOT NULL,
    vector BLOB NOT NULL, PRIMARY KEY (photo, bundle_id));
CREATE TABLE photo_files (
    photo INTEGER PRIMARY KEY REFERENCES photos (number) ON DELETE CASCADE, etag TEXT NOT NULL,
    thumbnail BLOB NOT NULL, image BLOB NOT NULL);
"""

# Each change of a photo has a number of its own, higher than all before: so readers take over what is new, and an index
# says up to which change it holds all. `totals` has one row; triggers keep its count, which bounds uploads.
_CHANGES = """
ALTER TABLE photos ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}';
ALTER TABLE photos ADD COLUMN change INTEGER NOT NULL DEFAULT 0;
UPDATE photos SET change = number;
CREATE INDEX photos_by_change ON photos (change);
CREATE INDEX photos_by_sha256 ON photos (sha256);
CREATE TABLE patches (
    photo_id TEXT PRIMARY KEY, category TEXT, metadata TEXT NOT NULL, change INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX patches_by_change ON patches (change);
CREATE TABLE deletions (photo_id TEXT PRIMARY KEY, change INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX deletions_by_change ON deletions (change);
CREATE TABLE totals (store_id TEXT NOT NULL, change INTEGER NOT NULL, photos INTEGER NOT NULL);
INSERT INTO totals SELECT lower(hex(randomblob(8))), coalesce(max(number), 0), count(*) FROM photos;
CREATE TRIGGER photo_added AFTER INSERT ON photos BEGIN UPDATE totals SET photos = photos + 1; END;
CREATE TRIGGER photo_removed AFTER DELETE ON photos BEGIN UPDATE totals SET photos = photos - 1; END;
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, job_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('photos', 'rebuild')),
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    stage TEXT NOT NULL, done INTEGER NOT NULL, total INTEGER, failed INTEGER NOT NULL, detail TEXT NOT NULL,
    created_by TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL, owner TEXT NOT NULL,
    alive_at REAL NOT NULL);
CREATE TABLE job_items (
    job INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE, position INTEGER NOT NULL,
    item TEXT NOT NULL, image BLOB, problem TEXT, PRIMARY KEY (job, position));
"""

# A sketch alone: embeddings are made when somebody adapts, by the bundle that is in service then.
_FEEDBACK = """
CREATE TABLE feedback (
    number INTEGER PRIMARY KEY AUTOINCREMENT, feedback_id TEXT NOT NULL UNIQUE, category TEXT NOT NULL,
    photo_id TEXT NOT NULL, sketch BLOB NOT NULL, created_at TEXT NOT NULL);
CREATE INDEX feedback_by_category ON feedback (category);
"""

# A CHECK cannot be altered: both tables are made anew, since dropping the old `jobs` first would drop all items.
_ADAPT_JOBS = """
CREATE TABLE new_jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, job_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('photos', 'rebuild', 'adapt')),
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    stage TEXT NOT NULL, done INTEGER NOT NULL, total INTEGER, failed INTEGER NOT NULL, detail TEXT NOT NULL,
    created_by TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL, owner TEXT NOT NULL,
    alive_at REAL NOT NULL);
INSERT INTO new_jobs SELECT * FROM jobs;
CREATE TABLE new_items (
    job INTEGER NOT NULL REFERENCES new_jobs (number) ON DELETE CASCADE, position INTEGER NOT NULL,
    item TEXT NOT NULL, image BLOB, problem TEXT, PRIMARY KEY (job, position));
INSERT INTO new_items SELECT job, position, item, image, problem FROM job_items;
DROP TABLE job_items;
DROP TABLE jobs;
ALTER TABLE new_jobs RENAME TO jobs;
ALTER TABLE new_items RENAME TO job_items;
"""

# The id of the key and not its name, which another key may have. Of jobs that are older it is unknown.
_JOB_KEYS = """
ALTER TABLE jobs ADD COLUMN key_id TEXT NOT NULL DEFAULT '';
"""

_STEPS = {0: _FIRST, 1: _CHANGES, 2: _FEEDBACK, 3: _ADAPT_JOBS, 4: _JOB_KEYS}


def schema_version(database: sqlite3.Connection) -> int:
    """0 for a database that was created, whose process then died before it wrote the tables."""
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def migrate(database: sqlite3.Connection) -> None:
    """Bring the tables to this release's version, each step in one transaction. Raises sqlite3.Error."""
    while (version := schema_version(database)) < SCHEMA_VERSION:
        # The version is part of the same transaction: a step that dies leaves the one before, and is repeated.
        database.executescript(f"BEGIN; {_STEPS[version]} PRAGMA user_version = {version + 1}; COMMIT;")
