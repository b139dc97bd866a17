"""Run Roundup's mail gateway over a folder of mails and print the figure as one JSON line.

Runs under the peers' own Python:
`python roundup_gateway.py --work DIR --warm-up DIR --mails DIR [--rounds N]`.
(Not named roundup.py: as a script it would hide the package of that name.)
It is Roundup's template `classic` on its SQLite backend (WAL, synchronous=FULL as it comes) with two
settings that a support address needs: strangers may write (`Email Access` for Anonymous, who is registered
by the first mail), and a new issue is mailed to its author (`messages_to_author = new`), the acknowledgement.
Roundup sends the text and the files back in it; that is its way.
Kind to it: one process and MailGW.main for all mails (a site pipes each mail into a process of its own), a
tracker opened with `optimize`, letters appended to MAIL_DEBUG's file instead of an SMTP session.
For every new requester Roundup hashes a random password that nobody will use: 250,000 rounds of PBKDF2 as it
comes, seven eighths of its time. `--rounds 1000`, the least it admits, measures the mail gateway without it.
Writes: DIR/work.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
from pathlib import Path
from typing import Any

from roundup import init, instance, mailgw, password
from roundup.configuration import CoreConfig

TEMPLATE = Path(sys.prefix) / "share" / "roundup" / "templates" / "classic"
ADMITTED = "db.security.addPermissionToRole('Anonymous', 'Email Access')"
ARGUMENTS = argparse.Namespace(default_class="", set_value=[])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--warm-up", type=Path, required=True)
    parser.add_argument("--mails", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=250_000)
    options = parser.parse_args()
    tracker, letters = make_tracker(options.work, rounds=options.rounds)
    take(tracker, letters, options.warm_up)
    print(json.dumps(take(tracker, letters, options.mails)))


def make_tracker(work: Path, *, rounds: int) -> tuple[Any, Path]:
    """A fresh tracker in `work` and the file that its letters go into."""
    work.mkdir(parents=True)
    home, letters = work / "tracker", work / "letters"
    init.install(str(home), str(TEMPLATE))
    schema = home / "schema.py"
    schema.write_text(schema.read_text().replace("#" + ADMITTED, ADMITTED))
    config = CoreConfig(str(home))
    wanted = {
        "RDBMS_BACKEND": "sqlite",
        "TRACKER_WEB": "http://desk.example/",
        "TRACKER_EMAIL": "support@desk.example",
        "ADMIN_EMAIL": "admin@desk.example",
        "MAIL_DOMAIN": "desk.example",
        "MAIL_DEBUG": str(letters),
        "MESSAGES_TO_AUTHOR": "new",
        "PASSWORD_PBKDF2_DEFAULT_ROUNDS": str(rounds),
    }
    for name, value in wanted.items():
        config[name] = value
    config.save()
    tracker = instance.open(str(home))
    tracker.init(password.Password("bench", config=tracker.config))
    return instance.open(str(home), optimize=1), letters


def take(tracker: Any, letters: Path, folder: Path) -> dict[str, Any]:
    """Hand every mail of `folder` to the gateway; whatever it refuses ends the run with its exception."""
    mails = [file.read_bytes() for file in sorted(folder.iterdir())]
    before = counted(tracker, letters)
    started = time.perf_counter()
    for mail in mails:
        gateway = mailgw.MailGW(tracker, ARGUMENTS)
        gateway.trapExceptions = 0
        gateway.main(io.BytesIO(mail))
    seconds = time.perf_counter() - started
    done = {name: after - before[name] for name, after in counted(tracker, letters).items()}
    return {"mails": len(mails), "seconds": seconds, "per_second": len(mails) / seconds, **done}


def counted(tracker: Any, letters: Path) -> dict[str, int]:
    database = tracker.open("admin")
    try:
        tickets, attachments = len(database.issue.list()), len(database.file.list())
    finally:
        database.close()
    sent = letters.read_bytes().count(b"\nFROM: ") if letters.exists() else 0
    return {"tickets": tickets, "attachments": attachments, "acknowledgements": sent}


if __name__ == "__main__":
    main()
