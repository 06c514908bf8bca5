"""The tables of the SQLite store, as the migrations that make them. Never edit one: append."""

from __future__ import annotations

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE channels (
        id TEXT PRIMARY KEY, title TEXT NOT NULL, profile TEXT NOT NULL,
        overlay TEXT NOT NULL, created_ms INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE secrets (
        kind TEXT NOT NULL, digest TEXT NOT NULL,
        channel TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
        PRIMARY KEY (kind, digest), UNIQUE (channel, kind)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE sequences (
        channel TEXT PRIMARY KEY, next_msn INTEGER NOT NULL,
        discontinuity INTEGER NOT NULL, pdt_ms INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE products (
        channel TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
        id TEXT NOT NULL, revision INTEGER NOT NULL, image TEXT NOT NULL, record TEXT NOT NULL,
        PRIMARY KEY (channel, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX products_by_image ON products (image);
    CREATE TABLE revisions (
        channel TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
        product TEXT NOT NULL, last INTEGER NOT NULL,
        PRIMARY KEY (channel, product)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE images (
        name TEXT PRIMARY KEY, content_type TEXT NOT NULL, data BLOB NOT NULL
    ) STRICT;
    CREATE TABLE sessions (
        channel TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
        id TEXT NOT NULL, started_ms INTEGER NOT NULL, ended_ms INTEGER,
        number INTEGER NOT NULL,
        PRIMARY KEY (channel, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX sessions_in_order ON sessions (channel, number);
    CREATE TABLE events (
        channel TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
        seq INTEGER NOT NULL, session TEXT NOT NULL, record TEXT NOT NULL,
        PRIMARY KEY (channel, seq)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX events_by_session ON events (channel, session, seq);
    CREATE TABLE answers (
        scope TEXT NOT NULL, key TEXT NOT NULL, digest TEXT NOT NULL,
        status INTEGER NOT NULL, body BLOB NOT NULL, stored_ms INTEGER NOT NULL,
        PRIMARY KEY (scope, key)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX answers_by_age ON answers (stored_ms)
    """,
    """
    ALTER TABLE secrets ADD COLUMN expires_ms INTEGER
    """,
    """
    CREATE TABLE outbox (
        id TEXT NOT NULL, endpoint TEXT NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL,
        made_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL, tries INTEGER NOT NULL,
        PRIMARY KEY (id, endpoint)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX outbox_by_time ON outbox (endpoint, due_ms, id)
    """,
    """
    CREATE TABLE sources (
        channel TEXT PRIMARY KEY REFERENCES channels (id) ON DELETE CASCADE,
        url TEXT NOT NULL, loop INTEGER NOT NULL, enabled INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE recordings (
        channel TEXT NOT NULL, session TEXT NOT NULL, title TEXT NOT NULL,
        started_ms INTEGER NOT NULL, ended_ms INTEGER,
        duration_ms INTEGER NOT NULL DEFAULT 0, size INTEGER NOT NULL DEFAULT 0,
        gaps INTEGER NOT NULL DEFAULT 0,
        hold_reason TEXT, hold_actor TEXT, hold_ms INTEGER,
        uploaded INTEGER NOT NULL DEFAULT 0, local INTEGER NOT NULL DEFAULT 1,
        removing INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (channel, session)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX recordings_by_age ON recordings (ended_ms);
    CREATE INDEX recordings_by_session ON recordings (session);
    CREATE TABLE recording_log (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, channel TEXT NOT NULL,
        session TEXT NOT NULL, deed TEXT NOT NULL, actor TEXT NOT NULL, reason TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE playback (
        channel TEXT PRIMARY KEY REFERENCES channels (id) ON DELETE CASCADE,
        mode TEXT NOT NULL, salt TEXT NOT NULL,
        old_salt TEXT NOT NULL, old_until_ms INTEGER NOT NULL
    ) STRICT
    """,
    # Outlives its channel, as the recordings do that it guards.
    """
    CREATE TABLE playback_kept (
        channel TEXT PRIMARY KEY, mode TEXT NOT NULL, salt TEXT NOT NULL,
        old_salt TEXT NOT NULL, old_until_ms INTEGER NOT NULL
    ) STRICT;
    INSERT INTO playback_kept SELECT * FROM playback;
    DROP TABLE playback;
    ALTER TABLE playback_kept RENAME TO playback
    """,
)
