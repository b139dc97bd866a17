"""Lists of tickets: what filters let through, in which order, and a page at a time."""

from __future__ import annotations

from typing import Any

import pytest
from filled_rows import HOUR, NOON, add_address, add_message, add_ticket, index_all

from desk import clock
from desk.filters import FilterError
from desk.reads.queues import as_row, count, page, ticket_list
from desk.states import MessageState
from desk.store.schema import Attachment, Inbox, Ticket, TicketTag
from desk.store.schema.tickets import NO_DUE
from desk.store.writer import Store


def _listed(store: Store, text: str, *, limit: int = 0, me: str | None = "b") -> list[int]:
    with store.reading():
        return [row["number"] for row in ticket_list(text, limit=limit, me=me)]


def test_a_row_is_the_json_of_the_command(store: Store) -> None:
    add_ticket(store, 7, category="access.vpn", owner="b", tier=2, priority=1, messages=3, due=NOON)

    with store.reading():
        (row,) = ticket_list("", limit=10, me=None)

    assert row == {
        "number": 7,
        "subject": "subject 7",
        "status": "open",
        "priority": 1,
        "tier": 2,
        "kind": "incident",
        "queue": "help-desk",
        "category": "access.vpn",
        "owner": "b",
        "requester": "a@example.org",
        "due": clock.iso(NOON),
        "updated": clock.iso(NOON + 7_000_000),
        "created": clock.iso(NOON + 7_000_000),
        "messages": 3,
    }


def test_a_ticket_without_clock_is_due_at_no_time() -> None:
    ticket = Ticket(number=1, status=0, due=NO_DUE, updated=NOON, created=NOON)

    assert as_row(ticket)["due"] is None


def test_newest_update_comes_first_and_the_limit_cuts(store: Store) -> None:
    for number in (1, 2, 3):
        add_ticket(store, number, updated=NOON + number % 3)

    assert (_listed(store, ""), _listed(store, "", limit=2)) == ([2, 1, 3], [2, 1])


def test_merged_tickets_and_spam_show_when_the_filter_names_a_status(each_store: Store) -> None:
    for number, status in enumerate((1, 2, 5, 7, 8), 1):
        add_ticket(each_store, number, status=status)
    shown = {
        "": [1, 2, 3],
        "status:merged": [4],
        "status:spam,open": [1, 5],
        "-status:open": [2, 3],
        "-status:closed": [1, 2, 3],
        "(status:merged or queue:help-desk)": [1, 2, 3, 4, 5],
    }

    assert {text: sorted(_listed(each_store, text)) for text in shown} == shown


FIELDS: dict[int, dict[str, Any]] = {
    1: {"status": 0, "priority": 1, "tier": 0, "queue": "network", "category": "access.vpn", "owner": "b"},
    2: {"status": 1, "priority": 2, "tier": 1, "queue": "net%work", "category": "access", "requester": 2},
    3: {"status": 2, "priority": 3, "tier": 2, "kind": "change", "category": "accessory", "owner": "Bob"},
    4: {"status": 3, "priority": 5, "tier": 4, "created": NOON - 50 * HOUR, "updated": NOON - 4 * HOUR},
    5: {"status": 6, "due": NOON + HOUR // 2, "owner": "none-at-all"},
    6: {"status": 5, "due": NOON - HOUR},
}


SELECTED: dict[str, list[int]] = {
    "status:new,waiting": [1, 3],
    "pri:<=2": [1, 2],
    "pri:critical,planned": [1, 4],
    "tier:>=2": [3, 4],
    "tier:0": [1],
    "queue:network": [1],
    "queue:net*": [1, 2],
    "queue:net%work": [2],
    "queue:*%*": [2],
    "queue:NETWORK": [],
    "queue:help-desk,network": [1, 3, 4, 5, 6],
    "category:access.*": [1],
    "category:access*": [1, 2, 3],
    "owner:me": [1],
    "owner:none": [2, 4, 6],
    "owner:Bob,none": [2, 3, 4, 6],
    "owner:b*": [1, 3],
    "-owner:me": [2, 3, 4, 5, 6],
    "-owner:b*": [2, 4, 5, 6],
    "from:*@corp.example": [2],
    "from:C@corp.example": [2],
    "from:a@example.org": [1, 3, 4, 5, 6],
    "tag:vpn": [1, 2],
    "-tag:vpn": [3, 4, 5, 6],
    "tag:v*,new": [1, 2, 3],
    "kind:change": [3],
    "age:>2d": [4],
    "-age:>2d": [1, 2, 3, 5, 6],
    "idle:>3h": [4],
    "idle:<=4h": [1, 2, 3, 5, 6],
    "due:<1h": [5, 6],
    "due:>15m": [5],
    "has:attachment": [2],
    "-has:attachment": [1, 3, 4, 5, 6],
    "is:held": [3],
    "#3": [3],
    "-#3 pri:<=3 status:new,open,waiting": [1, 2],
    "(#1 or #2) -tag:new": [1, 2],
    "(tag:vpn or is:held) (pri:1 or pri:3)": [1, 3],
}


def test_fields_select_tickets(each_store: Store) -> None:
    _fill(each_store)

    with clock.frozen(clock.from_us(NOON + 1)):
        found = {text: sorted(_listed(each_store, text)) for text in SELECTED}

    assert found == SELECTED


def _fill(store: Store) -> None:
    for number, fields in FIELDS.items():
        add_ticket(store, number, **({"created": NOON, "updated": NOON} | fields))
    add_address(store, "a@example.org", 1)
    add_address(store, "c@corp.example", 2)
    add_address(store, "d@example.net", 2)
    for ticket, tag in ((1, "vpn"), (2, "vpn"), (3, "new")):
        store.write_tx(lambda tx, t=ticket, tag=tag: TicketTag.insert(ticket=t, tag=tag).execute())
    message = add_message(store, 2)
    store.write_tx(
        lambda tx: Attachment.insert(
            message=message, name="a", type="text/plain", size=1, sha256="x"
        ).execute()
    )
    held = add_message(store, 3, state=int(MessageState.HELD))
    done = add_message(store, 4)
    for letter, state in ((held, 2), (done, 1)):
        store.write_tx(
            lambda tx, m=letter, s=state: Inbox.insert(
                sha256="x", size=1, door="pipe", envelope={}, at=NOON, run_at=NOON, state=s, message=m
            ).execute()
        )


def test_owner_me_without_a_person_is_refused_with_its_column(store: Store) -> None:
    with pytest.raises(FilterError, match="column 8") as refused:
        _listed(store, "#1 vpn owner:me", me=None)

    assert refused.value.caret == "#1 vpn owner:me\n       ^"


@pytest.mark.parametrize("order", ["updated", "due"])
def test_pages_joined_are_the_whole_list(each_store: Store, order: Any) -> None:
    for number in range(1, 8):
        add_ticket(each_store, number, updated=NOON + number // 3, due=NOON - number // 2)
    add_ticket(each_store, 8, updated=NOON, due=NO_DUE)

    with each_store.reading():
        pages = [page(None, 3, "", order=order)]
        while pages[-1].last:
            pages.append(page(pages[-1].last, 3, "", order=order))

    rows = [row["number"] for one in pages for row in one.rows]
    expected = {"updated": [7, 6, 5, 4, 3, 8, 2, 1], "due": [6, 7, 4, 5, 2, 3, 1, 8]}
    assert (rows, [len(one.rows) for one in pages]) == (expected[order], [3, 3, 2])


def test_a_page_is_not_shifted_by_a_ticket_that_moved_up(store: Store) -> None:
    for number in range(1, 5):
        add_ticket(store, number)
    with store.reading():
        first = page(None, 2, "")
    store.write_tx(lambda tx: Ticket.update(updated=NOON + HOUR).where(Ticket.number == 1).execute())

    with store.reading():
        second = page(first.last, 2, "")

    assert [row["number"] for row in first.rows + second.rows] == [4, 3, 2]


def test_count_ends_at_its_bound(each_store: Store) -> None:
    for number in range(1, 6):
        add_ticket(each_store, number)

    with each_store.reading():
        assert (count(""), count("-#1"), count("", up_to=3)) == (5, 4, 3)


def _plan(store: Store, text: str) -> list[str]:
    from desk.reads.matching import matching

    with store.reading():
        query = Ticket.select(Ticket.number).where(matching(text, me="b"))
        sql, parameters = query.order_by(Ticket.updated.desc(), Ticket.number.desc()).limit(100).sql()
        return [row[3] for row in store.database.execute_sql("EXPLAIN QUERY PLAN " + sql, parameters)]


def test_lists_walk_an_index_in_order(store: Store) -> None:
    add_ticket(store, 1)

    assert _plan(store, "") == ["SCAN t1 USING COVERING INDEX ticket_updated"] or _plan(store, "") == [
        "SCAN t1 USING INDEX ticket_updated"
    ]
    assert _plan(store, "status:open,new") == ["SCAN t1 USING INDEX ticket_live_updated"]


def test_fifty_terms_are_not_too_many_for_the_engines(each_store: Store) -> None:
    add_ticket(each_store, 1)
    add_message(each_store, 1, "x1")
    index_all(each_store)
    nested = "(" * 20 + "x1" + ")" * 20

    assert (_listed(each_store, "x1 " * 50), _listed(each_store, nested)) == ([1], [1])
