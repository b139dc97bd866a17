"""Seals over the history: whatever is changed, removed or cut off shows, and erasing does not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from store_parts import add_event, opened

from desk import sealing
from desk.actors import Actor, technician
from desk.events import NoteAdded, ParticipantAdded, PersonErased
from desk.history import record
from desk.sealing import Head, Unexplained
from desk.store import leases
from desk.store.schema import EventText, Seal
from desk.store.writer import Store, Transaction

Read = Callable[..., list[Any]]
UNGUARDED = {
    "sqlite": ["DROP TRIGGER event_no_update", "DROP TRIGGER event_no_delete"],
    "postgresql": ["DROP TRIGGER event_no_change ON event"],
}


def filled(store: Store, count: int = 10) -> None:
    """So many events, every second with a text, all sealed."""

    def write(tx: Transaction) -> None:
        for n in range(count):
            if n % 2:
                record(
                    tx, ParticipantAdded(address=f"{n}@example.org", role="cc"), by=technician("a"), ticket=1
                )
            else:
                record(tx, NoteAdded(message=n, author="a"), by=Actor("system", "desk"), ticket=1)

    store.write_tx(write)
    sealing.seal(store)


def erase_all_texts(tx: Transaction) -> None:
    """As the erasure of a person: the texts first, then its event."""
    EventText.delete().execute()
    record(tx, PersonErased(person=1, by="a"), by=technician("a"))


def tamper(store: Store, *statements: str) -> None:
    """What somebody with the keys to the database can do."""

    def write(tx: Transaction) -> None:
        for statement in [*UNGUARDED[tx.engine], *statements]:
            tx.run(statement)

    store.write_tx(write)


def test_events_get_dense_numbers_in_order(store: Store, second: Read) -> None:
    for n in range(25):
        store.write_tx(lambda tx, n=n: add_event(tx, n))

    sealed = sealing.seal(store, batch=10)

    assert sealed == 25
    assert second("SELECT s.seq, e.ticket FROM seal s JOIN event e ON e.id = s.event ORDER BY s.seq") == [
        (n + 1, n) for n in range(25)
    ]


def test_a_second_seal_has_nothing_to_do_and_writes_nothing(store: Store) -> None:
    filled(store)
    with store.reading():
        before = store.database.execute_sql("SELECT * FROM lease").fetchall()

    sealed = sealing.seal(store)

    with store.reading():
        assert (sealed, store.database.execute_sql("SELECT * FROM lease").fetchall()) == (0, before)


def test_an_untouched_history_verifies(store: Store) -> None:
    filled(store)
    store.write_tx(lambda tx: add_event(tx, 1))

    verdict = sealing.verify(store)

    [head] = sealing.heads(store)
    assert (verdict.broken, verdict.reason, verdict.checked, verdict.erased) == (None, "", 10, 0)
    assert (verdict.unsealed, verdict.head) == (1, head)
    assert head.seq == 10


def test_an_empty_history_verifies(store: Store) -> None:
    assert sealing.verify(store) == sealing.Verdict(None, "", 0, 0, 0, sealing.START)


def test_the_same_history_has_the_same_head_on_both_engines(tmp_path: Path, postgresql_url: str) -> None:
    heads = []
    for url in ("sqlite:desk.db", postgresql_url):
        with closing(opened(url, tmp_path)) as store:
            store.write_tx(
                lambda tx: tx.run(
                    "INSERT INTO event (id, at, ticket, actor_kind, who, event, data)"
                    " VALUES (7, 1, NULL, 'system', 'désk', 'tag.added', ?)",
                    '{"tag":"網路"}',
                )
            )
            sealing.seal(store)
            heads += sealing.heads(store)

    assert heads[0] == heads[1]


@pytest.mark.parametrize(
    "column", ["at", "ticket", "actor_kind", "who", "rule", "message", "cause", "event", "data", "text_hash"]
)
def test_any_changed_column_is_found(store: Store, column: str) -> None:
    filled(store)
    value = "9" if column in ("at", "ticket", "message", "cause") else "'x'"
    tamper(store, f"UPDATE event SET {column} = {value} WHERE id = (SELECT event FROM seal WHERE seq = 6)")

    verdict = sealing.verify(store)

    assert (verdict.broken, verdict.checked) == (6, 5)
    assert verdict.reason.endswith("was changed, or its seal")


@pytest.mark.parametrize(
    ("what", "broken", "reason"),
    [
        ("DELETE FROM event WHERE id = {4}", 4, "event {4} was removed"),
        ("DELETE FROM seal WHERE seq = 4", 4, "seal 4 is missing"),
        ("UPDATE seal SET hash = 'x' WHERE seq = 4", 4, "event {4} was changed, or its seal"),
        ("UPDATE event_text SET text = 'x' WHERE event = {4}", 4, "the text of event {4} was changed"),
        ("UPDATE event_text SET event = 0 - event WHERE event = {4}", None, ""),
        ("UPDATE event_text SET event = {3} WHERE event = {4}", 3, "event {3} was given a text"),
        ("DELETE FROM seal WHERE seq > 7", 8, "the last 3 events were removed: 10 were sealed"),
        ("DELETE FROM seal", 1, "the last 10 events were removed: 10 were sealed"),
    ],
)
def test_tampering_is_found_and_named(store: Store, what: str, broken: int | None, reason: str) -> None:
    filled(store)
    with store.reading():
        ids = [0, *(row.event for row in Seal.select().order_by(Seal.seq))]
    tamper(store, what.format(*ids))

    verdict = sealing.verify(store)

    assert (verdict.broken, verdict.reason) == (broken, reason.format(*ids))


def test_texts_of_two_events_that_change_places_are_found(store: Store) -> None:
    filled(store)

    def swap(tx: Transaction) -> None:
        first, other = EventText.select().order_by(EventText.event).limit(2)
        for row, event in ((first, other.event), (other, first.event)):
            EventText.update(salt=row.salt, text=row.text).where(EventText.event == event).execute()

    store.write_tx(swap)

    assert sealing.verify(store).broken == 2


def test_erased_texts_are_counted_and_break_nothing(store: Store) -> None:
    filled(store)
    store.write_tx(erase_all_texts)

    verdict = sealing.verify(store)

    assert (verdict.broken, verdict.checked, verdict.erased, verdict.unexplained) == (None, 10, 5, None)
    assert verdict.is_whole


def test_texts_removed_without_an_erasure_after_them_are_a_finding(store: Store) -> None:
    filled(store)
    store.write_tx(erase_all_texts)
    filled(store)  # those come after the erasure
    store.write_tx(lambda tx: EventText.delete().execute())

    verdict = sealing.verify(store)
    of_the_end = sealing.verify(store, last=3)

    assert (verdict.broken, verdict.checked, verdict.erased) == (None, 21, 5)
    assert (verdict.unexplained, verdict.is_whole) == (Unexplained(5, 13), False)
    assert (of_the_end.unexplained, of_the_end.erased) == (Unexplained(2, 19), 0)


def test_a_rewritten_end_shows_against_a_head_kept_elsewhere(store: Store) -> None:
    filled(store)
    [kept] = sealing.heads(store)
    tamper(
        store,
        "DELETE FROM event_text WHERE event > (SELECT event FROM seal WHERE seq = 8)",
        "DELETE FROM event WHERE id > (SELECT event FROM seal WHERE seq = 8)",
        "DELETE FROM seal WHERE seq > 8",
        "UPDATE counter SET value = 8 WHERE name = 'sealed'",
    )
    cut = sealing.verify(store, known=kept)
    for n in range(5):
        store.write_tx(lambda tx, n=n: add_event(tx, n))
    sealing.seal(store)
    rewritten = sealing.verify(store, known=kept)

    assert sealing.verify(store).broken is None
    assert (cut.broken, cut.reason) == (9, "the last 2 events were removed: 10 were sealed")
    assert (rewritten.broken, rewritten.reason) == (
        10,
        "the known head of seq 10 is another one: the history was rewritten",
    )


def test_only_the_last_places_are_verified_when_asked(store: Store) -> None:
    filled(store)
    tamper(store, "UPDATE event SET who = 'x' WHERE id = (SELECT event FROM seal WHERE seq = 2)")

    verdict = sealing.verify(store, last=3)

    assert (verdict.broken, verdict.checked, verdict.head) == (None, 3, sealing.heads(store)[0])


def test_events_that_become_visible_late_are_sealed_behind_the_others(
    url: str, tmp_path: Path, postgresql_url: str
) -> None:
    with (
        closing(opened(postgresql_url, tmp_path)) as store,
        closing(opened(postgresql_url, tmp_path)) as slow,
    ):
        is_written, may_end = threading.Event(), threading.Event()

        def write(tx: Transaction) -> int:
            number = add_event(tx, 1)
            is_written.set()
            assert may_end.wait(30)
            return number

        late = slow.submit(write)
        assert is_written.wait(30)
        early = store.write_tx(lambda tx: add_event(tx, 2))
        first = sealing.seal(store)
        may_end.set()
        late_id = late.result(30)
        second = sealing.seal(store)

        assert late_id < early
        assert (first, second, sealing.verify(store).broken) == (1, 1, None)


def test_a_whole_seal_finds_what_is_far_behind(tmp_path: Path, postgresql_url: str) -> None:
    with closing(opened(postgresql_url, tmp_path)) as store:
        add = "INSERT INTO event (id, at, actor_kind, who, event, data) VALUES (?, 1, 'system', '', 'a.b', '{}')"
        store.write_tx(lambda tx: tx.run(add, 1_000_000))
        sealing.seal(store)
        store.write_tx(lambda tx: tx.run(add, 1))

        usual, whole = sealing.seal(store), sealing.seal(store, whole=True)

        assert (usual, whole, sealing.verify(store).unsealed) == (0, 1, 0)


def test_nothing_is_sealed_while_another_has_the_lease(store: Store) -> None:
    store.write_tx(lambda tx: leases.take(tx, sealing.LEASE, "another", 60_000_000))
    store.write_tx(lambda tx: add_event(tx, 1))

    while_held = sealing.seal(store, owner="me")
    store.write_tx(lambda tx: leases.give_back(tx, sealing.LEASE, "another", 1))

    assert (while_held, sealing.seal(store, owner="me")) == (0, 1)


def test_a_sealer_that_lost_its_lease_between_batches_writes_no_more(store: Store) -> None:
    for n in range(10):
        store.write_tx(lambda tx, n=n: add_event(tx, n))
    slow = store.write_tx(
        lambda tx: sealing._seal_batch(tx, owner="slow", place=sealing._Place(None), batch=4)
    )
    store.write_tx(lambda tx: tx.run("UPDATE lease SET until = 0"))
    quick = sealing.seal(store, owner="quick")

    again = store.write_tx(lambda tx: sealing._seal_batch(tx, owner="slow", place=slow, batch=4))

    assert (slow.count, quick, again) == (4, 6, None)
    assert sealing.verify(store).broken is None


def test_sealers_beside_writers_make_one_chain(store: Store, url: str, tmp_path: Path) -> None:
    with closing(opened(url, tmp_path)) as other:
        may_end = threading.Event()

        def go_on_sealing(which: Store, owner: str) -> None:
            while not may_end.is_set():
                sealing.seal(which, owner=owner, batch=5)

        sealers = [
            threading.Thread(target=go_on_sealing, args=(store, "a")),
            threading.Thread(target=go_on_sealing, args=(other, "b")),
        ]
        for sealer in sealers:
            sealer.start()
        futures = [(store, other)[n % 2].submit(lambda tx, n=n: add_event(tx, n)) for n in range(200)]
        for future in futures:
            future.result(30)
        may_end.set()
        for sealer in sealers:
            sealer.join()
        sealing.seal(store)

        verdict = sealing.verify(store)

        assert (verdict.broken, verdict.checked, verdict.unsealed) == (None, 200, 0)


def test_heads_are_the_newest_first(store: Store) -> None:
    filled(store)

    heads = sealing.heads(store, 3)

    assert [head.seq for head in heads] == [10, 9, 8]
    assert sealing.heads(store) == [Head(10, heads[0].hash)]
