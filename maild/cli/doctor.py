"""`desk doctor`: what is wrong with this desk, each fault with its remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from desk.cli.command import Command
from desk.cli.output import print_json
from desk.cli.session import Session, pass_session
from desk.safetext import safe_line

if TYPE_CHECKING:
    from maild.cli.checkup import Finding


@click.command(cls=Command)
@click.option("--probe", "is_probe", is_flag=True, help="Send a letter through the whole round and wait.")
@click.option(
    "--wait",
    "patience_s",
    type=click.FloatRange(min=1),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long the probe may take.",
)
@pass_session
def doctor(session: Session, is_probe: bool, patience_s: float) -> None:
    """Check settings, files, ports, names, clock, disk, store, mail in and letters out.

    With --probe a letter goes out by the smarthost to the desk's own address, and the time is told until it
    is back; that needs a running desk. The exit status is 1 when there is any fault.
    """
    from maild.cli.checkup import examine  # slow import

    findings = list(examine(session.home, session.open))
    if is_probe:
        findings.append(_probed(session, patience_s))
    faults = [finding for finding in findings if finding.is_fault]
    if session.is_json:
        print_json({"ok": not faults, "faults": _plain(faults), "facts": _plain(findings, is_fault=False)})
    else:
        for finding in findings:
            click.echo(f"{'FAULT' if finding.is_fault else 'ok   '} {safe_line(finding.text)}")
        click.echo(f"{len(faults)} fault{'s' if len(faults) > 1 else ''}" if faults else "nothing is wrong")
    if faults:
        click.get_current_context().exit(1)


def _plain(findings: list[Finding], *, is_fault: bool = True) -> list[dict[str, str]]:
    return [
        {"check": finding.check, "text": finding.text} for finding in findings if finding.is_fault is is_fault
    ]


def _probed(session: Session, patience_s: float) -> Finding:
    from desk.errors import DeskError
    from maild.cli.checkup import Finding
    from maild.cli.probing import probe  # slow import

    try:
        went = probe(session.open(), patience_s=patience_s)
    except DeskError as error:
        return Finding("probe", str(error))
    if went.seconds is None:
        return Finding("probe", f"the probe was not back within {patience_s:g} s: {went.stuck}")
    return Finding("probe", f"the probe was back after {went.seconds:.1f} s", is_fault=False)
