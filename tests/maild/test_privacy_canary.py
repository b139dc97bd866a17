"""No letter ever holds a word of a message that is not public: markers everywhere, orders at random."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mails import bounce, mail
from placing import Thread, opened
from post import Filed, Post

from desk.commands import AddNote, Merge, RejectHeld, ReleaseHeld, Reply, SetFields
from desk.errors import IllegalMove

_numbers = itertools.count(1)
VACATION = ("Auto-Submitted: auto-replied",)


@dataclass
class Story:
    """What has been said in a ticket so far; `secret` markers must never go out, `told` ones may."""

    post: Post
    thread: Thread
    secret: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    held: list[tuple[Filed, str]] = field(default_factory=list)

    def marker(self) -> str:
        return f"canary{next(_numbers)}x"

    def hidden(self) -> str:
        marker = self.marker()
        self.secret.add(marker)
        return marker

    def texts(self, marker: str) -> dict[str, str]:
        return {"text": f"{marker} in the text", "subject": f"Re: Printer {marker}"}


def note(story: Story) -> None:
    story.post.order(AddNote(story.thread.ticket, f"Note {story.hidden()}."))


def unproven(story: Story) -> None:
    filed = story.post.take(
        mail(story.thread.a, replies_to=story.thread.first, **story.texts(story.hidden()))
    )
    assert filed.audience == "internal"


def of_a_stranger(story: Story) -> None:
    marker = story.hidden()
    filed = story.post.take(mail(story.thread.stranger, replies_to=story.thread.first, **story.texts(marker)))
    assert filed.outcome == "held"
    story.held.append((filed, marker))


def of_a_technician(story: Story) -> None:
    filed = story.post.take(
        mail("t1@staff.example", replies_to=story.thread.first, **story.texts(story.hidden()))
    )
    assert filed.author == "technician"


def of_a_machine(story: Story) -> None:
    sender = story.thread.letter.envelope_sender
    story.post.take(mail(story.thread.a, to=sender, fields=VACATION, **story.texts(story.hidden())))
    story.post.take(bounce(f"{story.hidden()}@client.example", to=sender))


def public(story: Story) -> None:
    marker = story.marker()
    story.told.add(marker)
    thread = story.thread
    filed = story.post.take(
        mail(thread.a, to=thread.token, replies_to=thread.letter.message_id, text=f"{marker} in the text")
    )
    assert filed.audience == "public"


def reply(story: Story) -> None:
    story.post.order(Reply(story.thread.ticket, "Please restart it.", now=True))


def release(story: Story) -> None:
    if story.held:
        filed, marker = story.held.pop()
        story.post.order(ReleaseHeld(filed.inbox))
        story.secret.discard(marker)
        story.told.add(marker)


def reject(story: Story) -> None:
    if story.held:
        story.post.order(RejectHeld(story.held.pop()[0].inbox))


def merge_in(story: Story) -> None:
    """Another ticket with a secret of its own is merged into this one."""
    other = opened(story.post)
    story.post.order(AddNote(other.ticket, f"Note {story.hidden()}."))
    story.post.take(mail(other.a, replies_to=other.first, **story.texts(story.hidden())))
    story.post.order(Merge(other.ticket, into=story.thread.ticket))


def resolve(story: Story) -> None:
    try:
        story.post.order(SetFields(story.thread.ticket, (("status", "resolved"),)))
    except IllegalMove:
        return


STEPS: list[Callable[[Story], None]] = [
    note,
    unproven,
    of_a_stranger,
    of_a_technician,
    of_a_machine,
    public,
    reply,
    release,
    reject,
    merge_in,
    resolve,
]


@given(steps=st.lists(st.sampled_from(STEPS), min_size=4, max_size=12))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_letter_holds_a_word_that_is_not_public(
    steps: list[Callable[[Story], None]], shared_post: Post
) -> None:
    story = Story(shared_post, opened(shared_post))

    for step in (*steps, public, reply):
        step(story)

    letters = [text.everything for text in shared_post.letters(story.thread.ticket)]
    leaked = {marker for marker in story.secret for text in letters if marker in text}
    assert leaked == set()
    assert any(marker in letters[-1] for marker in story.told)


def test_all_kinds_of_secrets_in_one_story(post: Post) -> None:
    story = Story(post, opened(post))

    for step in (note, unproven, of_a_stranger, of_a_technician, of_a_machine, merge_in, reply):
        step(story)

    text = post.letters(story.thread.ticket)[-1].everything
    assert len(story.secret) == 8
    assert [marker for marker in story.secret if marker in text] == []
    assert "It does not print any more." in text
