"""The first schema. Frozen: a change of the models comes with a new migration, never with an edit here.

Written in PostgreSQL's types; SQLite gets the same statements with its own.
"""

from __future__ import annotations

from typing import Any

from desk.store.dialect import in_dialect

STATEMENTS = [
    """CREATE TABLE counter (
        name TEXT NOT NULL PRIMARY KEY, value BIGINT NOT NULL
    )""",
    """CREATE TABLE keyring (
        epoch INTEGER NOT NULL PRIMARY KEY, key TEXT NOT NULL, made BIGINT NOT NULL
    )""",
    """CREATE TABLE lease (
        name TEXT NOT NULL PRIMARY KEY, owner TEXT NOT NULL, until BIGINT NOT NULL,
        epoch BIGINT NOT NULL
    )""",
    """CREATE TABLE snapshot (
        name TEXT NOT NULL PRIMARY KEY, digest TEXT NOT NULL, data TEXT NOT NULL, at BIGINT NOT NULL
    )""",
    """CREATE TABLE contact (
        id BIGSERIAL NOT NULL PRIMARY KEY, name TEXT NOT NULL, said_name TEXT NOT NULL,
        language TEXT, organisation TEXT NOT NULL, vip BOOLEAN NOT NULL, merged_into BIGINT,
        created BIGINT NOT NULL
    )""",
    """CREATE TABLE address (
        address TEXT NOT NULL PRIMARY KEY, contact BIGINT NOT NULL, failing_since BIGINT
    )""",
    "CREATE INDEX address_contact ON address (contact)",
    """CREATE TABLE technician (
        id BIGSERIAL NOT NULL PRIMARY KEY, login TEXT NOT NULL, name TEXT NOT NULL,
        address TEXT NOT NULL, tier SMALLINT NOT NULL, team TEXT, language TEXT,
        active BOOLEAN NOT NULL, preferences TEXT NOT NULL, created BIGINT NOT NULL
    )""",
    "CREATE UNIQUE INDEX technician_login ON technician (login)",
    "CREATE UNIQUE INDEX technician_address ON technician (address)",
    """CREATE TABLE technician_key (
        fingerprint TEXT NOT NULL PRIMARY KEY, technician BIGINT NOT NULL, public_key TEXT NOT NULL,
        added BIGINT NOT NULL
    )""",
    "CREATE INDEX technician_key_technician ON technician_key (technician)",
    """CREATE TABLE role_grant (
        id BIGSERIAL NOT NULL PRIMARY KEY, technician BIGINT NOT NULL, role TEXT NOT NULL,
        queue TEXT NOT NULL
    )""",
    "CREATE UNIQUE INDEX role_grant_technician_role_queue ON role_grant (technician, role, queue)",
    """CREATE TABLE ticket (
        number BIGINT NOT NULL PRIMARY KEY, subject TEXT NOT NULL, status SMALLINT NOT NULL,
        priority SMALLINT NOT NULL, impact SMALLINT, urgency SMALLINT, tier SMALLINT NOT NULL,
        kind TEXT NOT NULL, category TEXT NOT NULL, queue TEXT NOT NULL, team TEXT, owner TEXT,
        requester BIGINT NOT NULL, requester_address TEXT NOT NULL, language TEXT NOT NULL,
        channel TEXT NOT NULL, arrived BIGINT NOT NULL, created BIGINT NOT NULL,
        updated BIGINT NOT NULL, resolved BIGINT, due BIGINT NOT NULL, merged_into BIGINT,
        messages INTEGER NOT NULL, reopens INTEGER NOT NULL, collecting BOOLEAN NOT NULL,
        version INTEGER NOT NULL
    )""",
    "CREATE INDEX ticket_updated ON ticket (updated, number)",
    "CREATE INDEX ticket_requester ON ticket (requester, created)",
    "CREATE INDEX ticket_merged ON ticket (merged_into) WHERE merged_into IS NOT NULL",
    "CREATE INDEX ticket_live_due ON ticket (due, number) WHERE status < 5",
    "CREATE INDEX ticket_live_queue ON ticket (queue, due, number) WHERE status < 5",
    "CREATE INDEX ticket_live_owner ON ticket (owner, due, number) WHERE status < 5",
    "CREATE INDEX ticket_live_updated ON ticket (updated, number) WHERE status < 5",
    """CREATE TABLE ticket_tag (
        ticket BIGINT NOT NULL, tag TEXT NOT NULL, PRIMARY KEY (ticket, tag)
    )""",
    "CREATE INDEX ticket_tag_tag_ticket ON ticket_tag (tag, ticket)",
    """CREATE TABLE link (
        source BIGINT NOT NULL, target BIGINT NOT NULL, relation TEXT NOT NULL,
        PRIMARY KEY (source, target, relation)
    )""",
    "CREATE INDEX link_target ON link (target)",
    """CREATE TABLE participant (
        ticket BIGINT NOT NULL, contact BIGINT NOT NULL, address TEXT NOT NULL, role TEXT NOT NULL,
        since BIGINT NOT NULL, PRIMARY KEY (ticket, contact)
    )""",
    "CREATE INDEX participant_contact ON participant (contact)",
    """CREATE TABLE message (
        id BIGSERIAL NOT NULL PRIMARY KEY, ticket BIGINT, origin BIGINT, direction SMALLINT NOT NULL,
        kind TEXT NOT NULL, audience TEXT NOT NULL, state SMALLINT NOT NULL,
        author_kind TEXT NOT NULL, author TEXT NOT NULL, author_name TEXT NOT NULL, contact BIGINT,
        at BIGINT NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL, spans TEXT NOT NULL,
        language TEXT, marks TEXT NOT NULL, message_id TEXT, blob TEXT, trust SMALLINT,
        evidence TEXT NOT NULL, inbox BIGINT, reply_to_letter BIGINT
    )""",
    "CREATE INDEX message_ticket ON message (ticket, id)",
    "CREATE UNIQUE INDEX message_blob ON message (blob) WHERE blob IS NOT NULL",
    """CREATE TABLE message_identity (
        message_id TEXT NOT NULL PRIMARY KEY, ticket BIGINT NOT NULL, message BIGINT
    )""",
    "CREATE INDEX message_identity_ticket ON message_identity (ticket) WHERE ticket > 0",
    "CREATE INDEX message_identity_held ON message_identity (message) WHERE message IS NOT NULL AND ticket = 0",
    """CREATE TABLE blob (
        sha256 TEXT NOT NULL PRIMARY KEY, size BIGINT NOT NULL, codec SMALLINT NOT NULL,
        data BYTEA NOT NULL
    )""",
    """CREATE TABLE attachment (
        id BIGSERIAL NOT NULL PRIMARY KEY, message BIGINT NOT NULL, name TEXT NOT NULL,
        type TEXT NOT NULL, size BIGINT NOT NULL, sha256 TEXT NOT NULL, inline BOOLEAN NOT NULL
    )""",
    "CREATE INDEX attachment_message ON attachment (message)",
    "CREATE INDEX attachment_sha256 ON attachment (sha256)",
    """CREATE TABLE inbox (
        id BIGSERIAL NOT NULL PRIMARY KEY, sha256 TEXT NOT NULL, size BIGINT NOT NULL,
        door TEXT NOT NULL, door_key TEXT, envelope TEXT NOT NULL, at BIGINT NOT NULL,
        state SMALLINT NOT NULL, run_at BIGINT NOT NULL, tries INTEGER NOT NULL,
        lease BIGINT NOT NULL, holder TEXT NOT NULL, reason TEXT NOT NULL, ticket BIGINT,
        message BIGINT
    )""",
    "CREATE INDEX inbox_sha256 ON inbox (sha256)",
    "CREATE INDEX inbox_waiting ON inbox (run_at, id) WHERE state = 0",
    "CREATE INDEX inbox_aside ON inbox (state, id) WHERE state IN (2, 3, 4)",
    "CREATE UNIQUE INDEX inbox_door ON inbox (door, door_key) WHERE door_key IS NOT NULL",
    """CREATE TABLE outbox (
        id BIGSERIAL NOT NULL PRIMARY KEY, ticket BIGINT, message BIGINT, kind TEXT NOT NULL,
        message_id TEXT NOT NULL, recipient TEXT NOT NULL, contact BIGINT, to_new BOOLEAN NOT NULL,
        blob TEXT NOT NULL, state SMALLINT NOT NULL, created BIGINT NOT NULL, run_at BIGINT NOT NULL,
        tries INTEGER NOT NULL, lease BIGINT NOT NULL, holder TEXT NOT NULL, code INTEGER,
        answer TEXT NOT NULL, done BIGINT
    )""",
    "CREATE INDEX outbox_ticket ON outbox (ticket)",
    "CREATE INDEX outbox_message ON outbox (message)",
    "CREATE UNIQUE INDEX outbox_message_id ON outbox (message_id)",
    "CREATE INDEX outbox_waiting ON outbox (run_at, id) WHERE state = 0",
    "CREATE INDEX outbox_sending ON outbox (lease) WHERE state = 1",
    "CREATE INDEX outbox_acks ON outbox (recipient, created) WHERE kind = 'ack'",
    "CREATE INDEX outbox_new ON outbox (created) WHERE to_new",
    """CREATE TABLE search_waiting (
        message BIGINT NOT NULL PRIMARY KEY
    )""",
    """CREATE TABLE event (
        id BIGSERIAL NOT NULL PRIMARY KEY, at BIGINT NOT NULL, ticket BIGINT,
        actor_kind TEXT NOT NULL, who TEXT NOT NULL, rule TEXT, message BIGINT, cause BIGINT,
        event TEXT NOT NULL, data TEXT NOT NULL, text_hash TEXT
    )""",
    "CREATE INDEX event_ticket_id ON event (ticket, id)",
    "CREATE INDEX event_orders ON event (who, id) WHERE event IN ('order.given', 'undo.done')",
    """CREATE TABLE event_text (
        event BIGINT NOT NULL PRIMARY KEY, salt TEXT NOT NULL, text TEXT NOT NULL
    )""",
    """CREATE TABLE seal (
        seq BIGINT NOT NULL PRIMARY KEY, event BIGINT NOT NULL, hash TEXT NOT NULL
    )""",
    "CREATE UNIQUE INDEX seal_event ON seal (event)",
]

HISTORY_GUARD = {
    "sqlite": [
        """CREATE TRIGGER event_no_update BEFORE UPDATE ON event
        BEGIN SELECT RAISE(ABORT, 'history is insert-only'); END""",
        """CREATE TRIGGER event_no_delete BEFORE DELETE ON event
        BEGIN SELECT RAISE(ABORT, 'history is insert-only'); END""",
    ],
    "postgresql": [
        """CREATE FUNCTION history_is_insert_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'history is insert-only'; END $$""",
        """CREATE TRIGGER event_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON event
        FOR EACH STATEMENT EXECUTE FUNCTION history_is_insert_only()""",
    ],
}

FULL_TEXT = {
    "sqlite": [
        """CREATE VIRTUAL TABLE message_fts USING
        fts5(subject, body, content='', tokenize='unicode61 remove_diacritics 2')"""
    ],
    "postgresql": [
        "CREATE TABLE message_fts (id BIGINT NOT NULL PRIMARY KEY, tsv TSVECTOR NOT NULL)",
        "CREATE INDEX message_fts_tsv ON message_fts USING GIN (tsv)",
    ],
}


def up(migrator: Any, db: Any) -> None:
    engine = "postgresql" if "Postgres" in type(db).__name__ else "sqlite"
    for statement in [*STATEMENTS, *HISTORY_GUARD[engine], *FULL_TEXT[engine]]:
        db.execute_sql(in_dialect(statement, engine))
