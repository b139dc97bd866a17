"""`desk status`: how much waits where, and whether the desk runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from desk.cli.command import Command
from desk.cli.output import print_json, print_table
from desk.cli.session import Session, pass_session

if TYPE_CHECKING:
    from desk.service import Desk


@click.command(cls=Command)
@pass_session
def status(session: Session) -> None:
    """Show the depths of the queues and the newest mail of each way in."""
    found = _status(session.open())
    if session.is_json:
        print_json(found)
        return
    outbox = found["outbox"]
    rows = [
        ("running", "yes" if found["running"] else "no"),
        ("store", found["store"]),
        ("inbox", found["inbox"]),
        ("held", found["held"]),
        ("parked", found["parked"]),
        ("outbox", f"{outbox['waiting']} waiting, {outbox['failed']} failed"),
        ("sealed", f"{found['sealed']['seq']} events, head {found['sealed']['hash'][:16]}"),
        *(row for one in found["intakes"] for row in _intake_rows(one)),
        *(("rules", error) for error in found["rules"]["errors"]),
    ]
    print_table(("WHAT", "STATE"), rows)


def _intake_rows(intake: dict[str, Any]) -> list[tuple[str, object]]:
    name = intake["intake"]
    rows: list[tuple[str, object]] = [(f"newest {name}", intake["newest"])]
    if intake["listen"] is not None:
        rows.append((f"heartbeat {name}", intake["heartbeat"]))
    return rows


def _status(desk: Desk) -> dict[str, Any]:
    from desk import sealing  # slow import
    from desk.live.running import is_running
    from desk.reads import health, mail

    heads, listen = sealing.heads(desk.store), desk.settings.smtp.listen
    with desk.reading():
        return {
            **mail.counts(),
            "intakes": health.intakes({"smtp": str(listen)} if listen else {}),
            "rules": {"digest": "", "errors": []},
            "running": is_running(desk.home),
            "home": str(desk.home),
            "store": desk.settings.store.shown,
            "sealed": {"seq": heads[0].seq, "hash": heads[0].hash} if heads else {"seq": 0, "hash": ""},
        }
