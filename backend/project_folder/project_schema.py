"""The tables of a project's database, and how an older version becomes the present one."""

from __future__ import annotations

import sqlite3

# "NPRM" in the header of the file says that this SQLite database is a Neuron Prism project.
APPLICATION_ID = 0x4E50524D

_VERSION_1 = """
CREATE TABLE project (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL                     -- JSON
) WITHOUT ROWID;

CREATE TABLE images (
    row         INTEGER PRIMARY KEY,        -- row of the activation arrays, from 0
    path        TEXT NOT NULL UNIQUE,       -- relative to the images folder, with forward slashes
    label       TEXT,                       -- class, or NULL in a flat folder
    size        INTEGER,                    -- bytes, when the project was made or the image first read
    mtime_ns    INTEGER,                    -- time of modification, nanoseconds since 1970
    skip_reason TEXT                        -- NULL, or why its rows are NaN
);

CREATE TABLE unused_files (
    path   TEXT PRIMARY KEY,                -- found in the images folder, but not an image that can be used
    reason TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE layers (
    id             INTEGER PRIMARY KEY,
    name           TEXT NOT NULL UNIQUE,
    n_neurons      INTEGER NOT NULL,
    file           TEXT NOT NULL UNIQUE,    -- in the folder activations, without .npy
    weights_sha256 TEXT NOT NULL,
    preprocessing  TEXT NOT NULL,           -- JSON
    pooling        TEXT NOT NULL,
    precision      TEXT NOT NULL,
    versions       TEXT NOT NULL,           -- JSON: the software that computed it
    created        TEXT NOT NULL,
    parameters     TEXT,                    -- JSON, chosen by the user
    suggestion     TEXT                     -- JSON, computed from the activations
);

CREATE TABLE blocks (
    layer INTEGER NOT NULL REFERENCES layers(id) ON DELETE CASCADE,
    start INTEGER NOT NULL,                 -- first row
    stop  INTEGER NOT NULL,                 -- one past the last row
    crc32 INTEGER NOT NULL,                 -- of the block's bytes
    PRIMARY KEY (layer, start)
) WITHOUT ROWID;

CREATE TABLE neuron_names (
    layer  INTEGER NOT NULL REFERENCES layers(id) ON DELETE CASCADE,
    neuron INTEGER NOT NULL,
    name   TEXT NOT NULL,
    PRIMARY KEY (layer, neuron)
) WITHOUT ROWID;

CREATE TABLE named_concepts (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    layer         INTEGER NOT NULL REFERENCES layers(id) ON DELETE CASCADE,
    neuron        INTEGER NOT NULL,
    name          TEXT NOT NULL,
    notes         TEXT NOT NULL,
    member_images TEXT NOT NULL,            -- JSON list of image rows
    vector        BLOB NOT NULL,            -- float32, little endian
    parameters    TEXT NOT NULL,            -- JSON
    modified      TEXT NOT NULL
);
CREATE INDEX named_concepts_of_a_neuron ON named_concepts (layer, neuron);

CREATE TABLE settings (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL                     -- JSON
) WITHOUT ROWID;
"""

_VERSION_2 = """
ALTER TABLE images ADD COLUMN sha256 TEXT;          -- of the file that was read, where content is compared
ALTER TABLE layers ADD COLUMN precision_check TEXT; -- JSON: what another precision than float32 changed
ALTER TABLE layers ADD COLUMN origin TEXT;          -- JSON: the file it was imported from, if any
"""

_VERSION_3 = """
ALTER TABLE images ADD COLUMN excluded INTEGER NOT NULL DEFAULT 0;       -- 1: taken out by a person
ALTER TABLE named_concepts ADD COLUMN by_hand TEXT NOT NULL DEFAULT '';  -- what a person had changed in it

CREATE TABLE adjustments (
    layer       INTEGER NOT NULL REFERENCES layers(id) ON DELETE CASCADE,
    neuron      INTEGER NOT NULL,
    adjustments TEXT NOT NULL,              -- JSON: own_concepts and left_out, image rows
    PRIMARY KEY (layer, neuron)
) WITHOUT ROWID;
"""

# MIGRATIONS[v] turns version v into version v + 1. Published entries never change; new ones are appended.
MIGRATIONS: tuple[str, ...] = (_VERSION_1, _VERSION_2, _VERSION_3)

VERSION = len(MIGRATIONS)

TABLES = frozenset(
    {
        "project",
        "images",
        "unused_files",
        "layers",
        "blocks",
        "neuron_names",
        "named_concepts",
        "adjustments",
        "settings",
    }
)

# Keys of the table ``project`` that every project has from the moment it is made.
REQUIRED_VALUES = frozenset(
    {"name", "created", "model_source", "images_root", "images_root_relative", "planned_layers", "block_rows"}
)


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring a database from ``version`` (0: empty) to :data:`VERSION`, all steps or none.

    The connection must be in autocommit mode. Raises ``sqlite3.Error`` if a step fails.
    """
    script = "\n".join(MIGRATIONS[version:])
    try:
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {VERSION};\n"
            f"PRAGMA application_id = {APPLICATION_ID};\nCOMMIT;"
        )
    except sqlite3.Error:
        if connection.in_transaction:
            connection.rollback()
        raise
