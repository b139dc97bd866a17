"""Who is told that his mail arrived, in which language, how often, and with what in the letter."""

from __future__ import annotations

from datetime import timedelta
from email.header import Header

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mails import DESK, Mail, bounce, mail, receipt
from placing import answered
from post import Post

from desk import clock
from desk.commands import ChangeContact

FIXED = {
    "en": "We have received your request [#1]",
    "zh-Hant": "我們已收到您的來信 [#1]",
    "zh-Hans": "我们已收到您的来信 [#1]",
}


def test_a_new_ticket_is_acknowledged_once(post: Post) -> None:
    first = mail()

    post.take(first)

    [letter] = post.letters()
    fields = letter.mail
    assert (letter.kind, letter.ticket, letter.recipient) == ("ack", 1, "a@client.example")
    assert fields["Subject"] == FIXED["en"]
    assert fields["In-Reply-To"] == first.message_id
    assert fields["References"] == first.message_id
    assert fields["Auto-Submitted"] == "auto-replied"
    assert fields["X-Auto-Response-Suppress"] == "All"
    assert letter.addresses("From") == [DESK]
    assert letter.addresses("To") == ["a@client.example"]
    assert letter.addresses("Cc") == []


def test_further_mail_of_the_ticket_is_not_acknowledged(post: Post) -> None:
    first = mail()
    post.take(first)

    post.take(mail(replies_to=first.message_id))
    post.take(mail(to=post.letters()[0].reply_to, replies_to=first.message_id))

    assert post.ticket(1)["messages"] == 3
    assert len(post.letters()) == 1


@pytest.mark.parametrize(
    ("subject", "text", "language"),
    [
        ("Printer", "The printer does not print any more.", "en"),
        ("印表機壞了", "你好，印表機壞了，請幫忙看一下。", "zh-Hant"),
        ("打印机坏了", "你好，打印机坏了，请帮忙看一下。", "zh-Hans"),
        ("印表機壞了", "", "zh-Hant"),
        ("Drucker", "", "en"),
    ],
)
def test_the_language_is_that_of_the_text(subject: str, text: str, language: str, post: Post) -> None:
    post.take(mail(subject=subject, text=text))

    [letter] = post.letters()
    assert letter.mail["Subject"] == FIXED[language]
    assert post.ticket(1)["language"] == language


def test_the_language_of_the_person_comes_first(post: Post) -> None:
    post.take(mail())
    post.order(ChangeContact("a@client.example", (("language", "zh-Hant"),)))

    post.take(mail(subject="Scanner", text="The scanner does not scan."))

    assert post.letters()[-1].mail["Subject"] == FIXED["zh-Hant"].replace("1", "2")


@pytest.mark.parametrize(
    "incoming",
    [
        mail(mail_from="<>"),
        mail(fields=("Auto-Submitted: auto-generated",)),
        mail(fields=("Auto-Submitted: auto-replied",)),
        mail(fields=("Precedence: bulk",)),
        mail(fields=("List-Id: <l.client.example>",)),
        mail(fields=("X-Auto-Response-Suppress: All",)),
        mail(fields=("X-Spam-Flag: YES",)),
        mail(fields=("X-Spam-Status: Yes, score=9.1",)),
        mail(door="import"),
        mail(DESK),
        mail("support@desk.example", mail_from="a@client.example"),
        mail("nagios@client.example"),
        bounce("x@client.example"),
        receipt(original_id="<x@client.example>"),
        mail(author="a@client.example, b@client.example"),
        mail("ü@client.example"),
    ],
    ids=lambda incoming: incoming.raw.split(b"\r\n\r\n")[0].decode().replace("\r\n", " ")[-40:],
)
def test_nobody_is_told(incoming: Mail, post: Post) -> None:
    filed = post.take(incoming)

    assert filed.outcome in ("new", "held")
    assert post.letters() == []


@pytest.mark.parametrize(
    "fields", [("X-Spam-Flag: NO",), ("X-Spam-Status: No, score=0.1",), ("Auto-Submitted: no",)]
)
def test_honest_mail_is_acknowledged(fields: tuple[str, ...], post: Post) -> None:
    post.take(mail(fields=fields))

    assert len(post.letters()) == 1


def test_an_address_that_no_letter_can_carry_opens_a_ticket(post: Post) -> None:
    filed = post.take(mail("ü@client.example"))

    assert (filed.outcome, filed.ticket) == ("new", 1)
    assert post.ticket(1)["requester_address"] == "ü@client.example"


def test_the_answer_goes_to_from_and_not_to_reply_to(post: Post) -> None:
    post.take(mail(fields=("Reply-To: boss@other.example", "Sender: x@other.example")))

    assert [letter.recipient for letter in post.letters()] == ["a@client.example"]


def test_four_an_hour_for_an_unproven_address(post: Post) -> None:
    with clock.frozen(clock.now()):
        for n in range(6):
            post.take(mail(subject=f"Matter {n}"))
        within = len(post.letters())
        clock.advance(timedelta(hours=1))
        post.take(mail(subject="Matter 7"))

    assert within == 4
    assert len(post.tickets()) == 7
    assert len(post.letters()) == 5


def test_addresses_never_seen_share_a_limit(post: Post) -> None:
    post.limit(acks_to_new_addresses=3)
    post.take(mail("known@client.example"))

    with clock.frozen(clock.now() + timedelta(hours=1)):
        for n in range(5):
            post.take(mail(f"new{n}@client.example"))
        post.take(mail("known@client.example", subject="Scanner"))

    assert [letter.recipient for letter in post.letters()[1:]] == [
        "new0@client.example",
        "new1@client.example",
        "new2@client.example",
        "known@client.example",
    ]
    assert len(post.tickets()) == 7


def test_above_the_limit_of_new_tickets_mail_is_collected_in_silence(post: Post) -> None:
    post.limit(new_tickets_per_sender=3, acks_per_address=0)

    with clock.frozen(clock.now()):
        filed = [post.take(mail(subject=f"Alarm {n}")) for n in range(7)]
        other = post.take(mail("b@client.example"))
        clock.advance(timedelta(hours=1))
        later = post.take(mail(subject="Alarm 8"))

    assert [each.ticket for each in filed] == [1, 2, 3, 4, 4, 4, 4]
    assert [post.ticket(n)["collecting"] for n in (1, 2, 3, 4)] == [False, False, False, True]
    assert post.ticket(4)["messages"] == 4
    assert (other.ticket, later.ticket) == (5, 6)
    assert [letter.ticket for letter in post.letters()] == [1, 2, 3, 5, 6]


def test_a_queue_may_be_silent(post: Post) -> None:
    file = post.desk.home / "queues" / "help-desk.toml"
    file.write_text(file.read_text().replace("acknowledge = true", "acknowledge = false"))
    post.refresh()

    post.take(mail())

    assert (post.tickets(), post.letters()) == ([1], [])


def test_a_token_proves_enough_to_quote_the_subject(post: Post) -> None:
    thread = answered(post)

    filed = post.take(mail(thread.a, to=thread.token, subject="New phone"))

    assert filed.trust == 3
    assert post.letters()[-1].mail["Subject"] == "Re: New phone [#2]"


WORDS = st.text(st.characters(categories=("L", "N", "P", "Zs")), min_size=1, max_size=60)


@given(subject=WORDS, name=WORDS, text=WORDS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_of_an_unproven_mail_stands_in_its_acknowledgement(
    subject: str, name: str, text: str, shared_post: Post
) -> None:
    canaries = [f"{word}-canary-{n}-buy" for n, word in enumerate((subject, name, text))]
    encoded = [Header(canary, "utf-8", maxlinelen=500).encode() for canary in canaries]
    sender = f"canary{len(shared_post.tickets())}@client.example"

    filed = shared_post.take(
        mail(sender, author=f"{encoded[1]} <{sender}>", subject=encoded[0], text=canaries[2])
    )

    [letter] = shared_post.letters(filed.ticket)
    assert filed.outcome == "new"
    assert "canary-" not in letter.everything
    assert letter.mail["To"] == sender
