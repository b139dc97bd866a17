"""Letters out: read back by three parsers, and attacked."""

import email
import email.policy
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email.header import decode_header, make_header
from email.utils import getaddresses

import mailparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desk.errors import Invalid
from desk.letter import Mailbox
from desk.letters.compose import Draft, compose
from desk.letters.flowed import unflow
from desk.letters.parts import Enclosure
from desk.letters.quotes import Quoted

DATE = datetime(2026, 11, 9, 9, 0, tzinfo=timezone(timedelta(hours=8)))
DRAFT = Draft(
    sender=Mailbox("IT 服務台", "it@example.org"),
    to=Mailbox("甲", "a@example.org"),
    subject="Re: 印表機壞了 [#101]",
    message_id="<token.1@example.org>",
    date=DATE,
    text="您好：\n\n**紙卡**已清除。",
    language="zh-Hant",
    loop_mark="mark",
)
PLAIN_MAIL = b"From: a@example.org\r\nSubject: x\r\n\r\nbody\r\n"
CONTROLS = "a\r\nBcc: evil@example.com\r\n\r\nbody\x00\n.\x1b]0;x\x07"


def modern(raw):
    return email.message_from_bytes(raw, policy=email.policy.default)


def compat(raw):
    return email.message_from_bytes(raw)


def text_of(raw, kind="plain"):
    return modern(raw).get_body((kind,)).get_content().replace("\r\n", "\n").removesuffix("\n")


def decoded(value):
    return str(make_header(decode_header(value.replace("\r\n", ""))))


def assert_fit_for_the_wire(raw):
    assert raw.isascii()
    assert raw.endswith(b"\r\n")
    assert re.search(rb"\x00|(?<!\r)\n|\r(?!\n)", raw) is None
    assert max(map(len, raw.split(b"\r\n"))) <= 998


def test_a_short_letter_is_these_bytes():
    draft = replace(
        DRAFT,
        sender=Mailbox("IT", "it@example.org"),
        to=Mailbox("", "a@example.org"),
        subject="Hello",
        text="*Hi*",
        language="en",
    )

    assert compose(draft).decode("ascii").split("\r\n") == [
        "From: IT <it@example.org>",
        "To: <a@example.org>",
        "Subject: Hello",
        "Date: Mon, 09 Nov 2026 09:00:00 +0800",
        "Message-ID: <token.1@example.org>",
        "X-Desk-Loop: mark",
        "MIME-Version: 1.0",
        "Content-Type: multipart/alternative;",
        ' boundary="=_0a2a94db21e7f977ac79994e3dbce2f8"',
        "",
        "--=_0a2a94db21e7f977ac79994e3dbce2f8",
        "Content-Type: text/plain; charset=utf-8; format=flowed",
        "Content-Transfer-Encoding: 7bit",
        "",
        "*Hi*",
        "",
        "--=_0a2a94db21e7f977ac79994e3dbce2f8",
        "Content-Type: text/html; charset=utf-8",
        "Content-Transfer-Encoding: 7bit",
        "",
        "<!DOCTYPE html>",
        '<html lang="en">',
        '<head><meta charset="utf-8"></head>',
        "<body>",
        "<p><em>Hi</em></p>",
        "</body>",
        "</html>",
        "",
        "--=_0a2a94db21e7f977ac79994e3dbce2f8--",
        "",
    ]


def test_the_same_draft_gives_the_same_bytes():
    draft = replace(DRAFT, attachments=(Enclosure("a.txt", "text/plain", b"x"),))

    assert compose(draft) == compose(replace(draft))


def test_the_header_reads_back_in_every_parser():
    raw = compose(replace(DRAFT, cc=(Mailbox('B "b" \\', "b@example.org"), Mailbox("", "c@example.org"))))
    parsed = mailparser.parse_from_bytes(raw)

    assert_fit_for_the_wire(raw)
    assert modern(raw)["Subject"] == DRAFT.subject == decoded(compat(raw)["Subject"]) == parsed.subject
    assert [(a.display_name, a.addr_spec) for a in modern(raw)["From"].addresses] == [
        ("IT 服務台", "it@example.org")
    ]
    assert parsed.from_ == [("IT 服務台", "it@example.org")]
    assert parsed.to == [("甲", "a@example.org")]
    assert getaddresses([compat(raw)["Cc"]]) == [('B "b" \\', "b@example.org"), ("", "c@example.org")]
    assert modern(raw)["Date"].datetime == DATE
    assert parsed.message_id == DRAFT.message_id


def test_both_texts_read_back_in_every_parser():
    raw = compose(DRAFT)
    parsed = mailparser.parse_from_bytes(raw)

    assert text_of(raw) == "您好：\n\n**紙卡**已清除。"
    assert "<p><strong>紙卡</strong>已清除。</p>" in text_of(raw, "html")
    assert (
        compat(raw).get_payload(0).get_payload(decode=True).decode() == "您好：\r\n\r\n**紙卡**已清除。\r\n"
    )
    assert [text.strip().replace("\r\n", "\n") for text in parsed.text_plain] == [text_of(raw)]


@pytest.mark.parametrize("text", ["印表機壞了" * 2000, "x" * 5000, "café " * 900, ("a " * 600 + "\n") * 3])
def test_long_lines_survive_exactly(text):
    raw = compose(replace(DRAFT, text=text, signature="A\n電話 1", quote=Quoted("B", DATE, text)))

    assert_fit_for_the_wire(raw)
    read = unflow(text_of(raw)).split("\n\n")
    assert read[0] == "\n".join(line.rstrip() for line in text.strip("\n").split("\n"))
    assert modern(raw).get_body(("plain",)).get_content_type() == "text/plain"
    assert modern(raw).get_body(("plain",))["Content-Type"].params["format"] == "flowed"


@given(
    name=st.text(st.sampled_from('aZ ."\\@,;<>()=?_印😀é\r\n\0\x1b'), max_size=90),
    subject=st.text(st.sampled_from("aZ =?印表👩‍💻é\u3000\r\n\t\0\x85\u2028"), max_size=250),
)
@settings(max_examples=150)
def test_any_name_and_subject_reads_back_on_one_line(name, subject):
    raw = compose(replace(DRAFT, to=Mailbox(name, "a@example.org"), subject=subject))

    def line(text):
        return re.sub(r"[\x00-\x20\x7f-\x9f\u2028]+", " ", text).strip(" ")

    assert_fit_for_the_wire(raw)
    assert all(len(row) <= 78 or b" " not in row.strip() for row in raw.split(b"\r\n\r\n")[0].split(b"\r\n"))
    assert decoded(compat(raw)["Subject"]) == line(subject)
    ((shown, address),) = getaddresses([compat(raw)["To"].replace("\r\n", "")])
    assert (decoded(shown), address) == (line(name), "a@example.org")


@pytest.mark.parametrize("shift", range(8))
def test_characters_are_never_split_over_encoded_words(shift):
    subject = "x" * shift + "😀印é" * 40

    raw = compose(replace(DRAFT, subject=subject))

    words = re.findall(r"=\?utf-8\?b\?[^?]*\?=", compat(raw)["Subject"])
    assert len(words) > 3
    assert "".join(decoded(word) for word in words) == subject
    assert max(map(len, words)) <= 75


def test_a_subject_that_looks_encoded_is_shown_as_it_was_written():
    subject = "=?utf-8?q?x=0D=0ABcc:_evil@example.com?="

    raw = compose(replace(DRAFT, subject=subject))

    assert decoded(compat(raw)["Subject"]) == subject
    assert subject.encode() not in raw


def test_a_long_subject_in_ascii_is_folded_at_blanks():
    subject = "word " * 60 + "x" * 150 + " " + "y" * 900

    for one in (subject, subject[:450]):
        raw = compose(replace(DRAFT, subject=one))
        assert modern(raw)["Subject"] == one.strip()
        assert_fit_for_the_wire(raw)


def test_line_ends_in_values_start_no_field():
    plain = compose(replace(DRAFT, in_reply_to="<p@example.org>", references=("<p@example.org>",)))
    attacked = compose(
        replace(
            DRAFT,
            sender=Mailbox(CONTROLS, "it@example.org"),
            to=Mailbox(CONTROLS, "a@example.org"),
            subject=CONTROLS,
            in_reply_to="<p@example.org>",
            references=("<p@example.org>\r\nBcc: evil@example.com", "<a\r\nBcc:x@y>", "<p@example.org>"),
            loop_mark=CONTROLS,
            attachments=(Enclosure(CONTROLS, CONTROLS, b"x"),),
        )
    )

    assert_fit_for_the_wire(attacked)
    assert compat(attacked).keys() == compat(plain).keys()
    assert compat(attacked)["References"] == "<p@example.org>"
    assert decoded(compat(attacked)["Subject"]) == "a Bcc: evil@example.com body . ]0;x"
    assert len(compat(attacked).get_payload()) == 2
    assert compat(attacked).get_payload(1).keys() == [
        "Content-Type",
        "Content-Transfer-Encoding",
        "Content-Disposition",
    ]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "@example.org",
        "a@",
        "a@example.org, b@example.org",
        "a@example.org>\r\nBcc: <b@example.org",
        "a b@example.org",
        "<a@example.org>",
        "a@b@example.org",
        "=?utf-8?q?a?=@example.org",
        "甲@example.org",
        "a@" + "x" * 400,
        "a@..例.org",
    ],
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(Invalid):
        compose(replace(DRAFT, to=Mailbox("", address)))


@pytest.mark.parametrize("address", ['"a b"@example.org', "a+b@[192.0.2.1]", "o'a.b@example.org"])
def test_unusual_addresses_are_carried(address):
    raw = compose(replace(DRAFT, to=Mailbox("", address)))

    assert compat(raw)["To"] == f"<{address}>"


def test_a_chinese_domain_is_written_in_ascii():
    raw = compose(replace(DRAFT, to=Mailbox("", "a@例子.example")))

    assert compat(raw)["To"] == "<a@xn--fsqu00a.example>"


@pytest.mark.parametrize("message_id", ["", "a@b", "<a b@c>", "<a@b>\r\nX: y", "<é@b>"])
def test_a_malformed_message_id_of_ours_is_refused(message_id):
    with pytest.raises(Invalid):
        compose(replace(DRAFT, message_id=message_id))


def test_references_keep_the_first_and_the_newest():
    ids = tuple(f"<{'x' * 80}{n}@example.org>" for n in range(1000))

    raw = compose(replace(DRAFT, references=ids, in_reply_to=ids[-1]))

    kept = compat(raw)["References"].split()
    assert kept[0] == ids[0]
    assert kept[1:] == list(ids[-len(kept) + 1 :])
    assert len(kept) > 15
    assert len(compat(raw)["References"]) < 2048
    assert compat(raw)["In-Reply-To"] == ids[-1]


def test_the_parent_ends_the_references_once():
    raw = compose(replace(DRAFT, references=("<a@x>", "<b@x>", "<a@x>", "bad", "<c@x>"), in_reply_to="<b@x>"))

    assert compat(raw)["References"].split() == ["<a@x>", "<c@x>", "<b@x>"]


def test_only_automatic_letters_say_so():
    automatic, typed = compat(compose(replace(DRAFT, automatic=True))), compat(compose(DRAFT))

    assert (automatic["Auto-Submitted"], automatic["X-Auto-Response-Suppress"]) == ("auto-replied", "All")
    assert (typed["Auto-Submitted"], typed["X-Auto-Response-Suppress"]) == (None, None)
    assert (automatic["Precedence"], typed["Precedence"]) == (None, None)
    assert (automatic["X-Desk-Loop"], typed["X-Desk-Loop"]) == ("mark", "mark")


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", "On Monday, 9 November 2026, 09:00, A <b> wrote:"),
        ("zh-Hant", "A <b> 於 2026年11月9日 星期一 09:00 寫道："),
        ("zh-Hans", "A <b> 于 2026年11月9日 星期一 09:00 写道："),
    ],
)
def test_a_quote_stands_below_with_its_attribution(language, line):
    quote = Quoted("A\r\n<b>", DATE, "<i>first</i> \n\n> older\n-- \nA")

    raw = compose(replace(DRAFT, text="new", signature="IT\n1", quote=quote, language=language))

    assert unflow(text_of(raw)) == f"new\n\n-- \nIT\n1\n\n{line}\n> <i>first</i>\n>\n>> older\n> --\n> A"
    html = text_of(raw, "html")
    assert "&lt;i&gt;first&lt;/i&gt;<br>\n<br>\n&gt; older<br>\n--<br>\nA</blockquote>" in html
    assert f"<p>{line.replace('<b>', '&lt;b&gt;')}</p>" in html
    assert "<p>-- <br>\nIT<br>\n1</p>" in html


def test_a_quote_is_never_markup():
    raw = compose(replace(DRAFT, quote=Quoted("**A**", DATE, "[x](https://example.com) <script> **b**")))

    tags = set(re.findall("<([a-z]+)", text_of(raw, "html").partition("<body>")[2]))
    assert tags == {"p", "strong", "blockquote"}
    assert text_of(raw, "html").count("<strong>") == 1


def test_a_quote_is_cut_to_200_lines_and_16_kib():
    many = compose(replace(DRAFT, text="n", quote=Quoted("A", DATE, "\n".join(map(str, range(5000))))))
    long = compose(replace(DRAFT, text="n", quote=Quoted("A", DATE, "印" * 50_000)))

    assert text_of(many).split("\n")[-2:] == ["> 199", "> […]"]
    assert text_of(long).count("印") == 16 * 1024 // 3
    assert text_of(long).endswith("\n> […]")


@pytest.mark.parametrize(
    "name",
    [
        "report.pdf",
        "報告 2026 最終版.pdf",
        "a" * 100 + ".txt",
        'quo"te;=.txt',
        "%41.txt",
        "報告" * 30 + ".docx",
        "😀.png",
    ],
)
def test_attachments_read_back_in_every_parser(name):
    content = bytes(range(256)) * 40

    raw = compose(replace(DRAFT, attachments=(Enclosure(name, "application/pdf", content),)))

    assert_fit_for_the_wire(raw)
    (attached,) = modern(raw).iter_attachments()
    assert (attached.get_filename(), attached.get_content_type()) == (name, "application/pdf")
    assert attached.get_content() == content
    assert compat(raw).get_payload(1).get_filename() == name
    (parsed,) = mailparser.parse_from_bytes(raw).attachments
    assert parsed["filename"] == name
    assert text_of(raw) == "您好：\n\n**紙卡**已清除。"


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("", "attachment"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\x.exe", "C:_x.exe"),
        ("a\r\nb", "a b"),
        ("..", "attachment"),
        ("x" * 300 + ".txt", "x" * 116 + ".txt"),
    ],
)
def test_names_of_attachments_are_harmless(given_name, name):
    raw = compose(replace(DRAFT, attachments=(Enclosure(given_name, "text/plain", b"x"),)))

    assert compat(raw).get_payload(1).get_filename() == name


@pytest.mark.parametrize(
    ("given_type", "kind"),
    [
        ("Text/Plain", "text/plain"),
        ("multipart/mixed", "application/octet-stream"),
        ("nonsense", "application/octet-stream"),
        ("text/html; charset=utf-7", "application/octet-stream"),
        ("a/b\r\nX: y", "application/octet-stream"),
    ],
)
def test_types_of_attachments_are_harmless(given_type, kind):
    raw = compose(replace(DRAFT, attachments=(Enclosure("a", given_type, b"x"),)))

    assert compat(raw).get_payload(1)["Content-Type"] == kind


def test_a_plain_mail_is_attached_as_it_is():
    raw = compose(replace(DRAFT, attachments=(Enclosure("a.eml", "message/rfc822", PLAIN_MAIL),)))

    assert b"\r\n\r\n" + PLAIN_MAIL + b"\r\n--=_" in raw
    assert compat(raw).get_payload(1).get_content_type() == "message/rfc822"
    assert compat(raw).get_payload(1).get_payload(0)["Subject"] == "x"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN_MAIL.replace(b"body", "é".encode()),
        PLAIN_MAIL.replace(b"body", b"x" * 999),
        PLAIN_MAIL.replace(b"\r\n", b"\n"),
        PLAIN_MAIL + b"\0",
        PLAIN_MAIL + b"a\rb",
    ],
)
def test_any_other_mail_keeps_its_bytes_in_base64(content):
    raw = compose(replace(DRAFT, attachments=(Enclosure("mail", "message/rfc822", content),)))

    assert_fit_for_the_wire(raw)
    part = compat(raw).get_payload(1)
    assert (part.get_content_type(), part.get_filename()) == ("application/octet-stream", "mail.eml")
    assert part.get_payload(decode=True) == content


def test_a_part_that_holds_the_boundary_gets_another_one():
    boundary = re.search(r'boundary="(.*)"', compose(DRAFT).decode("ascii"))[1]

    raw = compose(replace(DRAFT, text=f"a\n\n--{boundary}--\n\nb"))

    assert text_of(raw) == f"a\n\n--{boundary}--\n\nb"
    assert len(compat(raw).get_payload()) == 2


def test_control_characters_of_a_text_stay_at_home():
    raw = compose(
        replace(DRAFT, text="a\x1b[2J\x00b\x9b\udcffc", quote=Quoted("A", DATE.astimezone(UTC), "q\x07"))
    )

    assert text_of(raw).startswith("a[2Jbc\n\n")
    assert text_of(raw).endswith("\n> q")
