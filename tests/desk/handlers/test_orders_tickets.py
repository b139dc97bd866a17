"""Orders on a ticket: take, assign, set, resolve, reopen; versions and suggestions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from orders_parts import ROOT, Shop

from desk.actors import Actor, Door
from desk.clock import now_us
from desk.commands import AddNote, Assign, Merge, Reopen, Reply, Resolve, SetFields, Take
from desk.errors import Conflict, DeskError, IllegalMove, Invalid, NotFound
from desk.handlers.changes import change
from desk.service import Order
from desk.states import Status
from desk.store.schema import TicketTag


def test_taking_makes_the_owner_and_opens_a_new_ticket(shop: Shop) -> None:
    number = shop.open()

    events = shop.order(Take(number))

    assert [event.event for event in events] == ["order.given", "owner.changed", "state.changed"]
    assert (shop.ticket(number)["owner"], shop.ticket(number)["status"]) == ("tess", Status.OPEN)


def test_taking_what_has_an_owner_is_refused(shop: Shop) -> None:
    number = shop.open()
    shop.order(Take(number))

    with pytest.raises(IllegalMove, match="already yours"):
        shop.order(Take(number))
    with pytest.raises(IllegalMove, match="belongs to tess"):
        shop.order(Take(number), "tom")


def test_of_two_who_take_at_once_one_wins(shop: Shop) -> None:
    numbers = [shop.open() for _ in range(10)]

    def take(who: str, number: int) -> str | None:
        try:
            shop.order(Take(number), who)
        except DeskError:
            return None
        return who

    with ThreadPoolExecutor(4) as threads:
        calls = [(n, threads.submit(take, who, n)) for n in numbers for who in ("tess", "tom", "lea")]
        winners = {n: [call.result() for m, call in calls if m == n and call.result()] for n in numbers}

    assert {n: [shop.ticket(n)["owner"]] for n in numbers} == winners


def test_the_desk_itself_takes_nothing(shop: Shop) -> None:
    number = shop.open()

    with pytest.raises(NotFound, match="no technician 'root'"):
        shop.order(Take(number), ROOT)

    assert shop.ticket(number)["owner"] is None


def test_a_lead_assigns_and_takes_away(shop: Shop) -> None:
    number = shop.open()

    shop.order(Assign(number, "tom"), "lea")
    given = shop.ticket(number)
    shop.order(Assign(number, None), "lea")

    assert (given["owner"], given["status"]) == ("tom", Status.OPEN)
    assert (shop.ticket(number)["owner"], shop.ticket(number)["status"]) == (None, Status.OPEN)


def test_assigning_to_somebody_unknown_names_the_nearest_login(shop: Shop) -> None:
    number = shop.open()

    with pytest.raises(NotFound, match='did you mean "tess"'):
        shop.order(Assign(number, "tes"), "lea")
    with pytest.raises(IllegalMove, match="already belongs to nobody"):
        shop.order(Assign(number, None), "lea")


STALE = [Reply, AddNote]


@pytest.mark.parametrize("command", STALE)
def test_writing_to_an_old_version_is_refused(shop: Shop, command: type) -> None:
    number = shop.open()
    version = shop.ticket(number)["version"]
    shop.order(SetFields(number, (("tier", "2"),)), "tom")
    before = shop.counts()

    with pytest.raises(Conflict, match="changed by somebody else"):
        shop.order(command(number, "text", version=version))

    assert shop.counts() == before
    shop.order(command(number, "text", version=version + 1))


@pytest.mark.parametrize(
    "make",
    [
        lambda n, v: Take(n, v),
        lambda n, v: Assign(n, "tom", v),
        lambda n, v: SetFields(n, (("tier", "3"),), v),
        lambda n, v: Resolve(n, None, v),
        lambda n, v: Merge(n, 2, v),
    ],
)
def test_every_order_with_an_old_version_is_refused(shop: Shop, make: object) -> None:
    number, _ = shop.open(), shop.open()
    version = shop.ticket(number)["version"]
    shop.mail("a@client.example", "more", ticket=number)

    with pytest.raises(Conflict):
        shop.order(make(number, version), "lea")  # type: ignore[operator]


def test_a_ticket_that_moved_on_under_the_handler_is_a_conflict(shop: Shop) -> None:
    from desk.service import Run  # only this test looks inside
    from desk.store.schema import Ticket

    number = shop.open()

    def write(tx: object) -> None:
        run = Run(shop.desk, tx, Order(Take(number), Actor("technician", "tess"), Door.CLI))  # type: ignore[arg-type]
        ticket = Ticket.get_by_id(number)
        Ticket.update(version=Ticket.version + 1).execute()
        change(run, ticket, tier=2)

    with pytest.raises(Conflict):
        shop.desk.store.write_tx(write)
    assert shop.ticket(number)["tier"] == 1


@pytest.mark.parametrize(("word", "status"), [("waiting", 2), ("2", 2), ("Resolved", 5), ("8", 8)])
def test_the_status_is_set_by_word_and_by_number(shop: Shop, word: str, status: int) -> None:
    number = shop.open()

    shop.order(SetFields(number, (("status", word),)))

    assert shop.ticket(number)["status"] == status


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("priorty", "high", 'field "priorty" does not exist; did you mean "priority"?'),
        ("zzz", "1", 'field "zzz" does not exist; there are status, priority, impact'),
        ("queue", "netwrok", 'queue "netwrok" does not exist; did you mean "network"?'),
        ("category", "hardware.printr", 'did you mean "hardware.printer"?'),
        ("status", "merged", "becomes merged by `merge`"),
        ("status", "new", "cannot become new"),
        ("priority", "0", "priority '0' does not exist"),
        ("impact", "5", "impact '5' is not a whole number from 1 to 4"),
        ("urgency", "x", "urgency 'x' is not a whole number"),
        ("tier", "-1", "tier '-1' is not a whole number from 0 to 4"),
        ("kind", "wish", "kind 'wish' does not exist"),
        ("language", "fr", "is not one of en, zh-Hant, zh-Hans"),
        ("tag", "two words", "is not a word of up to 60"),
        ("tag", "es\x1bcape", "is not a word"),
        ("tag", "x" * 61, "is not a word"),
    ],
)
def test_a_value_that_is_not_possible_is_refused_with_a_hint(
    shop: Shop, name: str, value: str, said: str
) -> None:
    number = shop.open()
    shop.order(Take(number))
    before, ticket = shop.counts(), shop.ticket(number)

    with pytest.raises((Invalid, IllegalMove)) as refusal:
        shop.order(SetFields(number, (("tier", "3"), (name, value))))

    assert said in str(refusal.value)
    assert (shop.counts(), shop.ticket(number)) == (before, ticket)


def test_no_field_at_all_is_refused(shop: Shop) -> None:
    with pytest.raises(Invalid, match="no field was named"):
        shop.order(SetFields(shop.open(), ()))


def test_all_fields_are_set_in_one_order(shop: Shop) -> None:
    number = shop.open()
    fields = {
        "kind": "request", "category": "network.vpn", "queue": "network", "tier": "2", "language": "zh-Hant",
        "priority": "low", "tag": "vpn,+Urgent",
    }  # fmt: skip

    shop.order(SetFields(number, tuple(fields.items())))

    after = shop.ticket(number)
    assert {name: str(after[name]) for name in fields if name != "tag"} == {
        "kind": "request", "category": "network.vpn", "queue": "network", "tier": "2", "language": "zh-Hant",
        "priority": "4",
    }  # fmt: skip
    assert [row.tag for row in shop.rows(TicketTag)] == ["urgent", "vpn"]


def test_setting_what_is_already_so_changes_nothing(shop: Shop) -> None:
    number = shop.open()
    shop.order(SetFields(number, (("tag", "vpn"), ("impact", "2"))))
    before = shop.ticket(number)
    same = (("tag", "vpn,-absent"), ("tier", "1"), ("priority", "3"), ("status", "new"), ("impact", "2"))

    events = shop.order(SetFields(number, same))

    assert [event.event for event in events] == ["order.given"]
    assert shop.ticket(number) == before


def test_impact_and_urgency_give_the_priority_by_the_matrix(shop: Shop) -> None:
    number = shop.open()
    matrix = shop.desk.postroom.matrix()

    shop.order(SetFields(number, (("impact", "1"),)))
    only_impact = shop.ticket(number)["priority"]
    shop.order(SetFields(number, (("urgency", "1"),)))

    assert only_impact == 3
    assert shop.ticket(number)["priority"] == matrix[0][0]


def test_a_solved_ticket_is_reopened_and_counted(shop: Shop) -> None:
    number = shop.open()
    shop.order(Resolve(number, "restarted"))
    resolved = shop.ticket(number)
    shop.order(Reopen(number))

    after = shop.ticket(number)
    assert (resolved["status"], now_us() - resolved["resolved"] < 60_000_000) == (Status.RESOLVED, True)
    assert (after["status"], after["resolved"], after["reopens"]) == (Status.OPEN, None, 1)
    with pytest.raises(IllegalMove, match="only a solved one is reopened"):
        shop.order(Reopen(number))


def test_a_solved_ticket_that_became_spam_is_not_solved_when_it_comes_back(shop: Shop) -> None:
    number = shop.open()
    shop.order(Resolve(number))
    shop.order(SetFields(number, (("status", "spam"),)))

    shop.order(Reopen(number))

    after = shop.ticket(number)
    assert (after["status"], after["resolved"], after["reopens"]) == (Status.OPEN, None, 0)


def test_an_order_on_a_ticket_that_does_not_exist_is_refused(shop: Shop) -> None:
    with pytest.raises(NotFound, match="there is no ticket 7"):
        shop.order(Take(7))


def test_of_several_orders_all_or_none_are_carried_out(shop: Shop) -> None:
    number, by = shop.open(), Actor("technician", "tess")
    before = shop.counts()

    with pytest.raises(IllegalMove):
        shop.desk.do(Order(Take(number), by, Door.CLI), Order(Take(number), by, Door.CLI))

    assert shop.counts() == before
