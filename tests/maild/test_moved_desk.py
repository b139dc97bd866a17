"""A desk that was exported and imported elsewhere: what people answer to old letters finds its ticket."""

from __future__ import annotations

import io
from contextlib import closing
from pathlib import Path

from mails import mail
from post import Post

from desk.commands import Reply
from desk.export import export_events
from desk.import_events import import_events
from desk.newhome import write_home
from desk.service import open_desk
from maild import home as homes
from maild.reading.reader import ReaderPool


def moved(post: Post, folder: Path, readers: ReaderPool) -> Post:
    """The same desk in another home."""
    out = io.BytesIO()
    export_events(post.desk.store, out, mail=folder / "beside")
    write_home(folder / "new", domain="desk.example", address="support@desk.example")
    with closing(open_desk(folder / "new")) as desk:
        import_events(desk.store, io.BytesIO(out.getvalue()), mail=folder / "beside")
        homes.refresh(desk)
    return Post(folder / "new", folder / "moved", readers)


def test_answers_to_old_letters_join_their_tickets(post: Post, tmp_path: Path, readers: ReaderPool) -> None:
    first = mail("a@client.example")
    before = post.take(first)
    ticket = before.ticket
    assert ticket is not None
    post.order(Reply(ticket, "Is it plugged in?", now=True))
    letter = post.letter_to("a@client.example")

    with closing(moved(post, tmp_path, readers)) as new:
        by_token = new.take(mail("a@client.example", to=letter.reply_to))
        by_reference = new.take(mail("a@client.example", replies_to=letter.message_id))
        again = new.take(first)

        assert [(filed.outcome, filed.ticket) for filed in (by_token, by_reference)] == [
            ("joined", ticket)
        ] * 2
        assert (again.ticket, again.message) == (ticket, before.message)  # the same mail once more
