"""Orders about people: technicians, roles, the last admin, keys, contacts and their merging."""

from __future__ import annotations

from typing import Any

import pytest
from orders_parts import ROOT, Shop

from desk.commands import (
    AddKey,
    AddNote,
    AddTechnician,
    ChangeContact,
    ChangePreference,
    ChangeRole,
    MergeContacts,
    RemoveKey,
    Reply,
    SetFields,
)
from desk.errors import Conflict, DeskError, IllegalMove, Invalid, NotAllowed, NotFound
from desk.people import clean_address, mailable_address
from desk.store.schema import Address, Contact, Participant, RoleGrant, Technician, TechnicianKey, Ticket

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILVwFl/DvQdh5I8DC9//TpPSppuoRzb9r8fStHtHE9o0 a@example.org"
PRINT = "SHA256:ONeEX+nTXqLmR5MuKtuvTI3trlARz3sldXmRz1rgeg8"


def _technician(shop: Shop, login: str) -> Any:
    return shop.rows(Technician, Technician.login == login)[0]


def _roles(shop: Shop, login: str) -> list[tuple[str, str]]:
    rows = shop.rows(RoleGrant, RoleGrant.technician == _technician(shop, login).id)
    return [(row.role, row.queue) for row in rows]


def test_a_technician_is_added_with_roles_once_each(shop: Shop) -> None:
    shop.order(
        AddTechnician("new", "New@Desk.Example", ("supervisor", "lead", "technician"), name="N\r\nX", tier=2),
        "ada",
    )

    person = _technician(shop, "new")
    assert (person.address, person.name, person.tier) == ("new@desk.example", "N X", 2)
    assert _roles(shop, "new") == [("lead", ""), ("technician", "")]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (AddTechnician("tess", "x@desk.example", ("lead",)), "there is a technician 'tess' already"),
        (AddTechnician("x", "TESS@desk.example", ("lead",)), "belongs to the technician 'tess'"),
        (AddTechnician("x", "Support@desk.example", ("lead",)), "address of the desk itself"),
        (AddTechnician("x", "no address", ("lead",)), "is not a mail address"),
        (AddTechnician("x", "<x@desk.example>", ("lead",)), "is not a mail address"),
        (AddTechnician("X y", "x@desk.example", ("lead",)), "login 'X y' is not accepted"),
        (AddTechnician("x\n", "x@desk.example", ("lead",)), "is not accepted"),
        (AddTechnician("x", "x@desk.example", ()), "needs a role"),
        (AddTechnician("x", "x@desk.example", ("boss",)), "role 'boss' does not exist"),
        (AddTechnician("x", "x@desk.example", ("requester",)), "role 'requester' does not exist"),
        (AddTechnician("x", "x@desk.example", ("lead",), tier=5), "tier 5 is not one of 0 to 4"),
        (AddTechnician("x", "x@desk.example", ("lead",), language="fr"), "language 'fr'"),
        (ChangeRole("tes", "lead"), 'did you mean "tess"'),
        (ChangeRole("tess", "technician"), "already has the role technician"),
        (ChangeRole("tess", "lead", revoke=True), "does not have the role lead"),
        (ChangeRole("tess", "lead", "netwrk"), 'did you mean "network"'),
        (ChangePreference("tess", "undo_second", "1"), 'did you mean "undo_seconds"'),
        (ChangePreference("tess", "active", "maybe"), "neither yes nor no"),
        (ChangePreference("tess", "language", "fr"), "language 'fr'"),
        (RemoveKey("tess", "SHA256:none"), "tess has no key SHA256:none"),
        (ChangeContact("z@client.example", (("vip", "yes"),)), "nobody with the address"),
        (ChangeContact("a@client.example", ()), "no field was named"),
        (ChangeContact("a@client.example", (("vpi", "yes"),)), 'did you mean "vip"'),
        (ChangeContact("a@client.example", (("vip", "1"),)), "neither yes nor no"),
        (ChangeContact("a@client.example", (("language", "fr"),)), "language 'fr'"),
        (MergeContacts("a@client.example", "A@client.example"), "are one person already"),
        (MergeContacts("a@client.example", "z@client.example"), "nobody with the address"),
    ],
)
def test_an_order_with_a_wrong_word_is_refused_without_a_trace(shop: Shop, command: Any, said: str) -> None:
    shop.open()
    before = shop.counts()

    with pytest.raises(DeskError) as refusal:
        shop.order(command, ROOT)

    assert said in str(refusal.value)
    assert shop.counts() == before


def test_a_role_in_one_queue_is_another_grant(shop: Shop) -> None:
    shop.order(ChangeRole("otto", "supervisor", "network"), "ada")
    granted = _roles(shop, "otto")
    shop.order(ChangeRole("otto", "observer", revoke=True), "ada")

    assert granted == [("observer", ""), ("lead", "network")]
    assert _roles(shop, "otto") == [("lead", "network")]


@pytest.mark.parametrize("by", ["ada", ROOT], ids=["herself", "root"])
@pytest.mark.parametrize(
    "command",
    [ChangeRole("ada", "admin", revoke=True), ChangePreference("ada", "active", "no")],
    ids=["revoke", "deactivate"],
)
def test_the_last_admin_stays(shop: Shop, command: Any, by: Any) -> None:
    shop.order(ChangeRole("lea", "admin", "network"), "ada")  # of one queue: gives no roles
    shop.order(ChangeRole("tom", "admin"), "ada")
    shop.order(ChangePreference("tom", "active", "no"), "ada")  # an admin who is gone
    before = shop.counts()

    with pytest.raises(IllegalMove, match="ada is the last admin"):
        shop.order(command, by)

    assert shop.counts() == before
    shop.order(ChangeRole("lea", "admin"), "ada")
    shop.order(command, by)


def test_an_admin_of_one_queue_loses_it_freely(shop: Shop) -> None:
    shop.order(ChangeRole("lea", "admin", "network"), "ada")

    shop.order(ChangeRole("lea", "admin", "network", revoke=True), "ada")

    assert _roles(shop, "lea") == [("lead", "")]


def test_who_is_not_active_any_more_may_nothing_and_can_come_back(shop: Shop) -> None:
    number = shop.open()
    shop.order(ChangePreference("tess", "active", "no"), "ada")

    with pytest.raises(NotFound, match="'tess' is not active any more"):
        shop.order(AddNote(number, "x"))
    with pytest.raises(NotFound, match="is not active"):
        shop.order(ChangePreference("tess", "name", "x"), "ada")

    shop.order(ChangePreference("tess", "active", "yes"), "ada")
    shop.order(AddNote(number, "x"))


def test_everybody_changes_his_own_settings_but_not_whether_he_is_active(shop: Shop) -> None:
    shop.order(ChangePreference("otto", "name", " O\tX "), "otto")
    shop.order(ChangePreference("otto", "language", "zh-Hant"), "otto")

    with pytest.raises(NotAllowed):
        shop.order(ChangePreference("otto", "active", "no"), "otto")

    person = _technician(shop, "otto")
    assert (person.name, person.language, person.active) == ("O X", "zh-Hant", True)


def test_a_key_belongs_to_one_technician(shop: Shop) -> None:
    shop.order(AddKey("tess", KEY), "ada")

    with pytest.raises(Conflict, match=r"belongs to tess already"):
        shop.order(AddKey("tom", KEY.replace("a@example.org", "")), "ada")
    with pytest.raises(NotFound, match="tom has no key"):
        shop.order(RemoveKey("tom", PRINT), "ada")

    row = shop.rows(TechnicianKey)[0]
    assert (row.fingerprint, row.public_key) == (PRINT, KEY.removesuffix(" a@example.org"))
    shop.order(RemoveKey("tess", PRINT), "ada")
    assert shop.rows(TechnicianKey) == []


@pytest.mark.parametrize(
    "text", ["", "a", "@b.example", "a@", "a b@c.example", "a\x00@b.example", "a" * 250 + "@b.ex"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="is not a mail address"):
        clean_address(text)


def test_an_address_is_kept_in_lower_case() -> None:
    assert clean_address(" A.B@Client.Example ") == "a.b@client.example"
    assert mailable_address("A@例子.example") == "a@例子.example"


def test_what_is_known_of_a_requester_is_used_in_letters(shop: Shop) -> None:
    number = shop.open()
    fields = (("name", "A\x1b B"), ("organisation", "Client"), ("vip", "yes"), ("language", "zh-Hant"))

    shop.order(ChangeContact("A@client.example", fields))
    shop.order(Reply(number, "text"))

    contact = shop.rows(Contact)[0]
    assert (contact.name, contact.organisation, contact.vip, contact.language) == (
        "A B",
        "Client",
        True,
        "zh-Hant",
    )
    assert b"To: A B <a@client.example>" in shop.content(shop.letters(number)[0].blob)
    shop.order(ChangeContact("a@client.example", (("language", ""), ("vip", "no"))))
    contact = shop.rows(Contact)[0]
    assert (contact.language, contact.vip) == (None, False)


def _roles_on(shop: Shop, number: int) -> list[tuple[int, str, str]]:
    return [(r.contact, r.address, r.role) for r in shop.rows(Participant, Participant.ticket == number)]


def test_two_contacts_become_one(shop: Shop) -> None:
    own = shop.ticket_of(shop.mail("a@client.example", "x"))
    other = shop.ticket_of(shop.mail("b@client.example", "y"))
    shared = shop.ticket_of(shop.mail("a@client.example", "z", newcomers=("b@client.example",)))
    turned = shop.ticket_of(shop.mail("b@client.example", "z", newcomers=("a@client.example",)))
    keep = shop.rows(Address, Address.address == "a@client.example")[0].contact
    gone = shop.rows(Address, Address.address == "b@client.example")[0].contact
    shop.order(ChangeContact("b@client.example", (("name", "B"), ("vip", "yes"))))
    version = shop.ticket(other)["version"]

    shop.order(MergeContacts("a@client.example", "b@client.example"), "ada")

    assert {row.contact for row in shop.rows(Address)} == {keep}
    assert {row.requester for row in shop.rows(Ticket)} == {keep}
    assert [_roles_on(shop, number) for number in (own, other, shared, turned)] == [
        [(keep, "a@client.example", "requester")],
        [(keep, "b@client.example", "requester")],
        [(keep, "a@client.example", "requester")],
        [(keep, "b@client.example", "requester")],
    ]
    merged = {row.id: row for row in shop.rows(Contact)}
    assert merged[gone].merged_into == keep
    assert (merged[keep].name, merged[keep].vip) == ("B", True)
    assert shop.ticket(other)["version"] == version + 1


def test_a_chain_of_merged_contacts_leads_to_the_last(shop: Shop) -> None:
    for who in "abc":
        shop.mail(f"{who}@client.example", "x")
    ids = {row.address[0]: row.contact for row in shop.rows(Address)}
    shop.order(ChangeContact("c@client.example", (("name", "C"),)))

    shop.order(MergeContacts("b@client.example", "a@client.example"), "ada")
    shop.order(MergeContacts("c@client.example", "b@client.example"), "ada")

    contacts = {row.id: row for row in shop.rows(Contact)}
    assert [contacts[ids[who]].merged_into for who in "abc"] == [ids["c"], ids["c"], None]
    assert contacts[ids["c"]].name == "C"
    number = shop.ticket_of(shop.mail("a@client.example", "again"))
    assert shop.ticket(number)["requester"] == ids["c"]


def test_a_letter_after_the_merge_of_contacts_goes_to_the_address_that_asked(shop: Shop) -> None:
    number = shop.ticket_of(shop.mail("b@client.example", "z", newcomers=("a@client.example",)))
    shop.order(MergeContacts("a@client.example", "b@client.example"), "ada")

    shop.order(Reply(number, "text"))
    shop.order(SetFields(number, (("tier", "2"),)))

    assert [letter.recipient for letter in shop.letters(number)] == ["b@client.example"]
