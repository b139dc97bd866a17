"""Lists of mails that were set aside and of letters out."""

from __future__ import annotations

from filled_rows import NOON

from desk.clock import iso
from desk.reads.mail import counts, outbox, set_aside
from desk.states import InboxState, OutboxState
from desk.store.schema import Inbox, Outbox
from desk.store.writer import Store, Transaction


def _fill(tx: Transaction) -> None:
    for state in InboxState:
        for ticket in (None, 4):
            Inbox.insert(
                sha256=f"{state.word}{ticket or ''}",
                size=1,
                door="smtp",
                envelope={},
                at=NOON,
                run_at=NOON,
                state=int(state),
                reason=f"why {state.word}",
                ticket=ticket,
            ).execute()
    for state in OutboxState:
        Outbox.insert(
            ticket=1,
            message=2,
            kind="reply",
            message_id=f"<{state.word}@example.org>",
            recipient="a@example.org",
            blob="5ha",
            state=int(state),
            created=NOON,
            run_at=NOON + 1,
            tries=int(state),
            answer="451 later" if state is OutboxState.WAITING else "",
            code=451 if state is OutboxState.WAITING else None,
        ).execute()


def test_what_was_set_aside_is_listed_by_its_state(each_store: Store) -> None:
    each_store.write_tx(_fill)

    with each_store.reading():
        held, parked, dropped = (set_aside(kind) for kind in ("held", "parked", "dropped"))

    assert held == [
        {"id": 5, "sha256": "held", "reason": "why held", "at": iso(NOON), "ticket": None},
        {"id": 6, "sha256": "held4", "reason": "why held", "at": iso(NOON), "ticket": 4},
    ]
    assert [row["sha256"] for row in parked + dropped] == ["parked", "parked4", "dropped", "dropped4"]


def test_letters_out_are_listed_by_state_or_all(each_store: Store) -> None:
    each_store.write_tx(_fill)

    with each_store.reading():
        waiting, everything = outbox(OutboxState.WAITING), outbox()

    assert waiting == [
        {
            "id": 1,
            "ticket": 1,
            "message": 2,
            "to": "a@example.org",
            "kind": "reply",
            "state": "waiting",
            "tries": 0,
            "message_id": "<waiting@example.org>",
            "sha256": "5ha",
            "code": 451,
            "answer": "451 later",
            "created": iso(NOON),
            "next": iso(NOON + 1),
        }
    ]
    assert [(row["state"], row["next"] is None) for row in everything] == [
        ("waiting", False),
        ("sending", True),
        ("sent", True),
        ("failed", True),
        ("withdrawn", True),
    ]


def test_counts_are_the_depths_of_the_queues(each_store: Store) -> None:
    each_store.write_tx(_fill)

    with each_store.reading():
        found = counts()

    assert found == {"inbox": 2, "held": 2, "parked": 2, "outbox": {"waiting": 2, "failed": 1}}
