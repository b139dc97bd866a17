"""Run django-helpdesk's get_email over a folder of mails and print the figure as one JSON line.

Runs under the peers' own Python:
`python django_helpdesk.py --work DIR --warm-up DIR --mails DIR [--journal wal]`.
What happens is what `manage.py get_email` does on a site with a queue of box type `local`: every file becomes
a ticket, a follow-up and its attachments, the requester's acknowledgement (template `newticket_submitter`)
is rendered in text and HTML and handed to the mail backend, the file is deleted.
Kind to it: one process for all mails, start and imports are not counted, letters go to the in-memory backend.
SQLite is as Django sets it up: rollback journal, synchronous=FULL, one commit per save; `--journal wal` is
what a site can tune by `init_command`.
Writes: DIR/work (database, attachments); deletes the mail files.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command

APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.sites",
    "django.contrib.humanize",
    "rest_framework",
    "django_cleanup.apps.CleanupConfig",
    "helpdesk",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
PROCESSORS = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--warm-up", type=Path, required=True)
    parser.add_argument("--mails", type=Path, required=True)
    parser.add_argument("--journal", choices=("default", "wal"), default="default")
    options = parser.parse_args()
    box = make_site(options.work, journal=options.journal)
    take(box, options.warm_up)
    print(json.dumps(take(box, options.mails)))


def make_site(work: Path, *, journal: str) -> Path:
    """Set up a migrated site with one queue in `work`; its mailbox folder comes back."""
    box = work / "box"
    box.mkdir(parents=True)
    configure(work, {"init_command": "PRAGMA journal_mode=WAL"} if journal == "wal" else {})
    call_command("migrate", verbosity=0)
    call_command("loaddata", "emailtemplate.json", verbosity=0)  # without these no acknowledgement is sent
    from helpdesk.models import Queue  # Django's models exist only after setup

    Queue.objects.create(
        title="Help desk",
        slug="help",
        email_address="support@desk.example",
        allow_email_submission=True,
        email_box_type="local",
        email_box_local_dir=str(box),
        email_box_interval=0,
        logging_type="none",
    )
    return box


def configure(work: Path, database_options: dict[str, str]) -> None:
    """Settings as in the package's own installation guide, all files below `work`."""
    database = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": work / "desk.sqlite3",
        "OPTIONS": database_options,
    }
    settings.configure(
        SECRET_KEY="bench",
        DEBUG=False,
        ALLOWED_HOSTS=["desk.example"],
        INSTALLED_APPS=APPS,
        MIDDLEWARE=MIDDLEWARE,
        DATABASES={"default": database},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": PROCESSORS},
            }
        ],
        SITE_ID=1,
        USE_TZ=True,
        STATIC_URL="/static/",
        MEDIA_ROOT=str(work / "media"),
        EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
        DEFAULT_FROM_EMAIL="support@desk.example",
        HELPDESK_TEAMS_MODE_ENABLED=False,
        LOGGING_CONFIG=None,
    )
    django.setup()
    from django.urls import include, path  # URL patterns import the models

    settings.ROOT_URLCONF = (path("", include("helpdesk.urls")),)


def take(box: Path, folder: Path) -> dict[str, Any]:
    """Copy the mails of `folder` into the box and let get_email work through them; none may be left."""
    count = len([shutil.copy(file, box) for file in sorted(folder.iterdir())])
    before = counted()
    started = time.perf_counter()
    call_command("get_email", quiet=True)
    seconds = time.perf_counter() - started
    done = {name: after - before[name] for name, after in counted().items()}
    if left := [file.name for file in box.iterdir()]:
        sys.exit(f"django-helpdesk left {len(left)} of {count} mails, first {left[0]}")
    return {"mails": count, "seconds": seconds, "per_second": count / seconds, **done}


def counted() -> dict[str, int]:
    from django.core import mail  # has its outbox only after the first letter
    from helpdesk.models import FollowUpAttachment, Ticket  # Django's models exist only after setup

    return {
        "tickets": Ticket.objects.count(),
        "attachments": FollowUpAttachment.objects.count(),
        "acknowledgements": len(getattr(mail, "outbox", [])),
    }


if __name__ == "__main__":
    main()
