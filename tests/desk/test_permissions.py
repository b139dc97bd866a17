"""Who may do what: every cell of roles and actions, and every command through the one door."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from order_cases import ORDERS, OTHER_KEY
from orders_parts import ROOT, STAFF, Shop, copied, shop_in

from desk.actors import Actor, Door
from desk.commands import (
    SPECS,
    AddKey,
    AddNote,
    Assign,
    ChangeRole,
    ErasePerson,
    Merge,
    ReleaseHeld,
    Reply,
    SetFields,
    Take,
    Undo,
)
from desk.errors import Invalid, NotAllowed
from desk.permissions import Action, Grant, Role, may, role_named, roles_with

ACTIONS: tuple[Action, ...] = get_args(Action)
# Rows: actions. Columns: technician, lead, admin, observer, auditor, requester.
TABLE = """
    read          T L A O U -
    open          T L - - - -
    reply         T L - - - -
    note          T L - - - -
    take          T L - - - -
    assign        - L - - - -
    set           T L - - - -
    resolve       T L - - - -
    reopen        T L - - - -
    merge         T L - - - -
    undo          T L - - - -
    approve-held  - L A - - -
    take-mail     - - A - - -
    people        - - A - - -
    rules         - - A - - -
    history       - - A - U -
    export        - - A - U -
    store         - - A - - -
"""
ROLES = (Role.TECHNICIAN, Role.LEAD, Role.ADMIN, Role.OBSERVER, Role.AUDITOR, Role.REQUESTER)
WITHOUT_QUEUE = {"take-mail", "people", "rules", "history", "export", "store"}
CELLS = [
    (role, row.split()[0], mark != "-")
    for row in TABLE.strip().splitlines()
    for role, mark in zip(ROLES, row.split()[1:], strict=True)
]


def test_the_table_names_every_action_and_role_once() -> None:
    assert [action for role, action, _ in CELLS if role is Role.LEAD] == list(ACTIONS)
    assert set(ROLES) == set(Role)


@pytest.mark.parametrize(("role", "action", "is_held"), CELLS)
def test_a_role_allows_what_the_table_says_and_only_in_its_queue(
    role: Role, action: Action, is_held: bool
) -> None:
    in_all, in_this, in_other = Grant(role), Grant(role, "network"), Grant(role, "help-desk")
    of_ticket = is_held and action not in WITHOUT_QUEUE

    assert may([in_all], action, "network") is is_held
    assert may([in_all], action, None) is is_held
    assert may([in_this], action, "network") is of_ticket
    assert may([in_this], action, None) is False
    assert may([in_other], action, "network") is False
    assert may([], action, "network") is False
    assert may([in_other, in_this], action, "network") is of_ticket


@pytest.mark.parametrize("action", ACTIONS)
def test_a_refusal_names_the_roles_that_could(action: Action) -> None:
    assert roles_with(action) == [role.value for role, named, held in CELLS if held and named == action]


@pytest.mark.parametrize(
    ("text", "role"),
    [("lead", Role.LEAD), (" Supervisor ", Role.LEAD), ("ADMIN", Role.ADMIN), ("observer", Role.OBSERVER)],
)
def test_a_role_is_found_by_its_name(text: str, role: Role) -> None:
    assert role_named(text) is role


@pytest.mark.parametrize("text", ["requester", "root", "", "tecnician"])
def test_a_role_that_nobody_can_be_given_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="technician, lead, admin, observer, auditor"):
        role_named(text)


@pytest.fixture(scope="module")
def refusing(filled_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One desk for all refusals: none of them may change it."""
    with shop_in(copied(filled_home, tmp_path_factory.mktemp("refusing") / "home")) as shop:
        yield shop


def _name(value: object) -> str:
    return type(value).__name__ if type(value) in SPECS else ""


def test_every_command_is_in_the_table_of_orders() -> None:
    assert {type(command) for command, _ in ORDERS} | {Undo} == set(SPECS)


@pytest.mark.parametrize(("command", "allowed"), ORDERS, ids=_name)
def test_an_order_beyond_the_roles_is_refused_without_a_trace(
    refusing: Shop, command: Any, allowed: set[str]
) -> None:
    before = refusing.counts()

    for login in set(STAFF) - allowed - {"tom"}:  # tom owns tickets 1 and 3
        with pytest.raises(NotAllowed):
            refusing.order(command, login)
    for outsider in (Actor("requester", "a@client.example"), Actor("vendor", "v@vendor.example")):
        with pytest.raises(NotAllowed):
            refusing.order(command, outsider)

    assert refusing.counts() == before


@pytest.mark.parametrize(
    ("command", "login"),
    [(c, login) for c, allowed in ORDERS for login in sorted(allowed)],
    ids=lambda value: value if isinstance(value, str) else _name(value),
)
def test_an_order_within_the_roles_is_carried_out(filled: Shop, command: Any, login: str) -> None:
    if isinstance(command, AddKey):
        command = AddKey("otto", OTHER_KEY)

    events = filled.order(command, login)

    assert events[0].event == "order.given"
    assert {event.cause for event in events[1:]} <= {events[0].id}


@pytest.mark.parametrize("login", ["otto", "audi", "ada"])
def test_undo_needs_the_right_to_work(filled: Shop, login: str) -> None:
    """Whoever lost the role in between cannot take back either."""
    filled.order(ChangeRole(login, "technician"), ROOT)
    filled.order(AddNote(2, "mine"), login)
    filled.order(ChangeRole(login, "technician", revoke=True), ROOT)
    before = filled.counts()

    with pytest.raises(NotAllowed):
        filled.order(Undo(2), login)

    assert filled.counts() == before


@pytest.mark.parametrize(
    "command",
    [Take(2), Reply(2, "x"), AddNote(2, "x"), SetFields(2, (("tier", "2"),)), Merge(2, 3), Merge(3, 2)],
    ids=_name,
)
def test_a_grant_in_another_queue_does_not_reach_a_ticket(filled: Shop, command: Any) -> None:
    filled.order(SetFields(3, (("queue", "network"),)), "lea")
    filled.grant_only("tess", "technician", "network")
    before = filled.counts()

    with pytest.raises(NotAllowed, match="in queue help-desk"):
        filled.order(command, "tess")

    assert filled.counts() == before
    assert filled.order(AddNote(3, "mine"), "tess")[1].event == "note.added"


def test_an_owner_may_hand_over_what_is_his_own(filled: Shop) -> None:
    filled.order(Assign(3, "tess"), "tom")

    assert filled.ticket(3)["owner"] == "tess"


def test_nobody_is_given_a_ticket_of_a_queue_where_he_may_not_work(filled: Shop) -> None:
    with pytest.raises(NotAllowed, match="otto may not work in queue help-desk"):
        filled.order(Assign(2, "otto"), "lea")


DOORS: list[tuple[Callable[[], Any], set[Door]]] = [
    (lambda: Take(2), {Door.CONSOLE, Door.CLI}),
    (lambda: Undo(2), {Door.CONSOLE, Door.CLI}),
    (lambda: Merge(2, 3), {Door.CONSOLE, Door.CLI}),
    (lambda: ErasePerson("a@client.example"), {Door.CONSOLE, Door.CLI}),
    (lambda: ChangeRole("otto", "admin"), {Door.CONSOLE, Door.CLI}),
    (lambda: AddKey("otto", OTHER_KEY), {Door.CONSOLE, Door.CLI}),
    (lambda: ReleaseHeld(1), {Door.CONSOLE, Door.CLI}),
    (lambda: AddNote(2, "x"), set(Door)),
    (lambda: Reply(2, "x"), set(Door)),
    (lambda: SetFields(2, (("tier", "2"),)), set(Door)),
]


@pytest.mark.parametrize(
    ("make", "open_doors"), DOORS, ids=lambda value: _name(value()) if callable(value) else ""
)
def test_an_order_through_a_closed_door_is_refused(
    refusing: Shop, make: Callable[[], Any], open_doors: set[Door]
) -> None:
    before = refusing.counts()
    spec = SPECS[type(make())]

    for door in set(Door) - open_doors:
        with pytest.raises(NotAllowed, match=f"not possible through the door {door}"):
            refusing.order(make(), "lea", door)

    assert spec.doors == open_doors
    assert refusing.counts() == before
