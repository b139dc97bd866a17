"""Realistic mails for the benchmarks, the same bytes for the same arguments on every machine.

Every mail is a first mail of its own: Message-ID, subject and (unless told otherwise) sender occur once,
so that each must become one ticket and one acknowledgement in whatever desk takes it.
All are 7-bit on the wire (base64 or quoted-printable), because django-helpdesk opens its files as UTF-8
text and drops the whole run at the first raw GB18030 byte.
"""

from __future__ import annotations

import base64
import quopri
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.header import Header
from email.utils import format_datetime
from random import Random

RECIPIENT = "support@desk.example"
_FIRST = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)

_WHO = [
    "I",
    "we",
    "our team",
    "my colleague",
    "the second floor",
    "reception",
    "accounting",
    "somebody here",
    "everyone",
    "the new starter",
]
_DOES = [
    "cannot open",
    "cannot reach",
    "lost",
    "need",
    "have a problem with",
    "get an error from",
    "would like",
    "should not see",
    "still wait for",
    "use",
]
_WHAT = [
    "the printer",
    "the VPN client",
    "the mail archive",
    "the shared folder",
    "the meeting room screen",
    "the invoice program",
    "a second monitor",
    "the time sheet",
    "the wireless network",
    "the telephone headset",
    "the backup disk",
    "the login page",
]
_WHEN = [
    "since this morning.",
    "after the last update.",
    "whenever the lid is closed.",
    "for the third time this week.",
    "while the old one works.",
    "although the cable was changed.",
    "before the meeting at two.",
    "even after a restart.",
]
_TRADITIONAL = [
    "您好，我的電腦今天早上開機後無法連上公司網路。",
    "印表機顯示卡紙，但是打開之後裡面沒有紙。",
    "昨天更新軟體以後，信箱一直要求輸入密碼。",
    "請協助重設我的帳號密碼，謝謝。",
    "會議室的投影機沒有畫面，下午兩點要用。",
    "共用資料夾裡的檔案打不開，顯示沒有權限。",
    "新同事下週一報到，需要一台筆記型電腦和門禁卡。",
    "VPN 每隔十分鐘就會斷線，重新開機也沒有用。",
]
_SIMPLIFIED = [
    "您好，我的电脑今天早上开机后无法连接公司网络。",
    "打印机显示卡纸，但是打开之后里面没有纸。",
    "昨天更新软件以后，邮箱一直要求输入密码。",
    "请协助重置我的账号密码，谢谢。",
    "会议室的投影仪没有画面，下午两点要用。",
    "共享文件夹里的文件打不开，显示没有权限。",
    "新同事下周一入职，需要一台笔记本电脑和门禁卡。",
    "VPN 每隔十分钟就会掉线，重新启动也没有用。",
]
_ATTACHMENTS = [
    ("screenshot", "png", "image/png", b"\x89PNG\r\n\x1a\n"),
    ("report", "pdf", "application/pdf", b"%PDF-1.7\n"),
    ("photo", "jpg", "image/jpeg", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"),
]


@dataclass(frozen=True, slots=True)
class _Draft:
    """What is fixed about one mail before its content is chosen."""

    number: int
    seed: int
    sender: int
    random: Random


def mails(count: int, *, mean_size: int = 16_000, seed: int = 1, senders: int | None = None) -> list[bytes]:
    """Mixed mails as they reach a support address, CRLF line ends, `mean_size` bytes on average.

    Of 20 mails 5 are plain English, 2 UTF-8, 2 GB18030 and 1 Big5 Chinese, 4 HTML with a plain alternative,
    3 replies with quotes, 3 carry an attachment; the attachments take what is missing from the mean, so that
    the mean holds from 20 mails on. `senders` is the number of different From addresses (default: `count`).
    """
    drafts = [_draft(number, seed, senders or count) for number in range(count)]
    kinds = _kinds(count, Random(seed))
    ready = {d.number: _KINDS[kind](d) for d, kind in zip(drafts, kinds, strict=True) if kind != "attachment"}
    missing = count * mean_size - sum(map(len, ready.values()))
    carriers = [d for d, kind in zip(drafts, kinds, strict=True) if kind == "attachment"]
    weights = [d.random.uniform(0.3, 1.7) for d in carriers]
    for draft, weight in zip(carriers, weights, strict=True):
        ready[draft.number] = _with_attachment(draft, int(missing * weight / sum(weights)))
    return [ready[number] for number in range(count)]


def small(count: int, size: int = 4096, *, seed: int = 1) -> list[bytes]:
    """Plain English mails of exactly `size` bytes each (2048 or more), for the measure of acceptance."""
    return [_exactly(_draft(number, seed, count), size) for number in range(count)]


def sender_of(mail: bytes) -> str:
    """The address in From, for use as the envelope sender. Only for mails made here."""
    line = mail[mail.index(b"\r\nFrom: ") + 8 :].split(b"\r\n", 1)[0]
    return line[line.index(b"<") + 1 : line.index(b">")].decode("ascii")


def _draft(number: int, seed: int, senders: int) -> _Draft:
    return _Draft(number, seed, number % senders, Random(f"{seed}/{number}"))


def _kinds(count: int, random: Random) -> list[str]:
    shares = {"english": 5, "utf-8": 2, "gb18030": 2, "big5": 1, "html": 4, "reply": 3, "attachment": 3}
    deck = [kind for kind, share in shares.items() for _ in range(share)]
    dealt: list[str] = []
    while len(dealt) < count:
        dealt += random.sample(deck, len(deck))
    return dealt[:count]


def _sentence(random: Random) -> str:
    words = " ".join(random.choice(part) for part in (_WHO, _DOES, _WHAT, _WHEN))
    return words[0].upper() + words[1:]


def _paragraphs(random: Random, size: int) -> str:
    lines: list[str] = []
    while sum(map(len, lines)) < size:
        lines += [_sentence(random) for _ in range(random.randint(2, 5))] + [""]
    return "\n".join(["Hello,", "", *lines, "Thank you and kind regards"]) + "\n"


def _chinese(random: Random, sentences: list[str], size: int) -> str:
    lines: list[str] = []
    while sum(map(len, lines)) < size:
        lines.append("".join(random.sample(sentences, 3)))
    return "\n".join(lines) + "\n"


def _headers(draft: _Draft, subject: str, *extra: str) -> str:
    random, number = draft.random, draft.number
    host, who = f"host{draft.sender}.example.org", f"requester{draft.seed}-{draft.sender}@example.org"
    date = format_datetime(_FIRST + timedelta(seconds=41 * number))
    identity = f"{draft.seed:x}.{number:x}.{random.getrandbits(64):016x}"
    signature = "\r\n\t".join(base64.b64encode(random.randbytes(54)).decode() for _ in range(4))
    return "\r\n".join(
        [
            (
                f"Received: from mx.example.org (mx.example.org [192.0.2.25])\r\n\tby mail.desk.example"
                f" with ESMTPS id {random.getrandbits(40):010X}\r\n\tfor <{RECIPIENT}>; {date}"
            ),
            (
                f"Received: from {host} ({host} [198.51.100.{number % 250 + 1}])\r\n\tby mx.example.org"
                f" with ESMTPSA id {random.getrandbits(40):010X};\r\n\t{date}"
            ),
            (
                "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=2026;\r\n"
                f"\th=from:to:subject:date:message-id:mime-version;\r\n\tb={signature}"
            ),
            f"From: Requester {draft.sender} <{who}>",
            f"To: {RECIPIENT}",
            f"Subject: {Header(subject, 'utf-8', maxlinelen=70).encode(linesep=chr(13) + chr(10))}"
            if not subject.isascii()
            else f"Subject: {subject}",
            f"Date: {date}",
            f"Message-ID: <{identity}@example.org>",
            "User-Agent: Mozilla Thunderbird",
            "MIME-Version: 1.0",
            *extra,
        ]
    )


def _subject(draft: _Draft) -> str:
    what = draft.random.choice(_WHAT)
    return f"Question about {what}, case {draft.seed}-{draft.number:05}"


def _wrapped(content: bytes) -> str:
    return base64.encodebytes(content).decode("ascii").replace("\n", "\r\n")


def _quoted(text: str) -> str:
    return quopri.encodestring(text.encode("utf-8")).decode("ascii").replace("\n", "\r\n")


def _part(type_: str, encoding: str, body: str, *extra: str) -> str:
    return "\r\n".join([f"Content-Type: {type_}", f"Content-Transfer-Encoding: {encoding}", *extra, "", body])


def _multipart(draft: _Draft, subtype: str, subject: str, parts: list[str]) -> bytes:
    boundary = f"------------{draft.random.getrandbits(96):024x}"
    head = _headers(draft, subject, f'Content-Type: multipart/{subtype}; boundary="{boundary}"')
    body = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    return f"{head}\r\n\r\nThis is a multi-part message in MIME format.\r\n{body}--{boundary}--\r\n".encode(
        "ascii"
    )


def _english(draft: _Draft) -> bytes:
    text = _paragraphs(draft.random, draft.random.randint(600, 4000)).replace("\n", "\r\n")
    head = _headers(draft, _subject(draft))
    return f"{head}\r\n{_part('text/plain; charset=UTF-8; format=flowed', '7bit', text)}".encode("ascii")


def _in_charset(charset: str, sentences: list[str]) -> Callable[[_Draft], bytes]:
    def build(draft: _Draft) -> bytes:
        text = _chinese(draft.random, sentences, draft.random.randint(200, 1500))
        head = _headers(draft, f"{draft.random.choice(sentences)[:12]} {draft.seed}-{draft.number:05}")
        body = _part(f"text/plain; charset={charset}", "base64", _wrapped(text.encode(charset)))
        return f"{head}\r\n{body}".encode("ascii")

    return build


def _html(draft: _Draft) -> bytes:
    text = _paragraphs(draft.random, draft.random.randint(600, 2500))
    rows = "\n".join(
        f'<p class="MsoNormal"><span lang="EN-US" style="font-size:11.0pt;font-family:Calibri,sans-serif">'
        f"{line or '&nbsp;'}</span></p>"
        for line in text.splitlines()
    )
    table = "".join(
        f"<tr><td>Room {n}</td><td><b>{draft.random.randint(100, 999)}</b></td></tr>" for n in range(5)
    )
    page = (
        '<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"><style>'
        "p.MsoNormal {margin:0cm; font-size:11.0pt;} a:link {color:#0563C1;}</style></head>\n"
        f'<body lang="EN-US" link="#0563C1"><div class="WordSection1">\n{rows}\n'
        f'<table border="1">{table}</table>\n'
        '<p><a href="https://intranet.example.org/help">Help pages</a></p>\n'
        "</div></body></html>\n"
    )
    parts = [
        _part("text/plain; charset=utf-8", "quoted-printable", _quoted(text)),
        _part("text/html; charset=utf-8", "quoted-printable", _quoted(page)),
    ]
    return _multipart(draft, "alternative", _subject(draft), parts)


def _reply(draft: _Draft) -> bytes:
    new = _paragraphs(draft.random, draft.random.randint(200, 800))
    old = "".join(
        f"> {line}\n" for line in _paragraphs(draft.random, draft.random.randint(500, 3000)).splitlines()
    )
    said = "On Mon, 2 Nov 2026 at 08:00, Someone <someone@example.org> wrote:"
    text = f"{new}\n{said}\n{old}\n-- \nRequester {draft.sender}\n"
    parent = f"<{draft.random.getrandbits(96):024x}@example.org>"
    head = _headers(draft, f"Re: {_subject(draft)}", f"In-Reply-To: {parent}", f"References: {parent}")
    body = _part("text/plain; charset=UTF-8", "quoted-printable", _quoted(text))
    return f"{head}\r\n{body}".encode("ascii")


def _with_attachment(draft: _Draft, size: int) -> bytes:
    text = _paragraphs(draft.random, draft.random.randint(200, 900))
    stem, suffix, type_, magic = draft.random.choice(_ATTACHMENTS)
    # 57 bytes become a line of 78; some 2000 bytes of the mail are headers and text.
    content = magic + draft.random.randbytes(max(300, (size - 2000 - len(text)) * 57 // 78))
    name = f"{stem}-{draft.number}.{suffix}"
    parts = [
        _part("text/plain; charset=UTF-8", "quoted-printable", _quoted(text)),
        _part(
            f'{type_}; name="{name}"',
            "base64",
            _wrapped(content),
            f'Content-Disposition: attachment; filename="{name}"',
        ),
    ]
    return _multipart(draft, "mixed", _subject(draft), parts)


def _exactly(draft: _Draft, size: int) -> bytes:
    head = _headers(draft, _subject(draft), "Content-Type: text/plain; charset=UTF-8", "", "").encode("ascii")
    lines = _paragraphs(draft.random, size).replace("\n", "\r\n").encode("ascii")
    return (head + lines)[: size - 4].rstrip(b"\r\n").ljust(size - 2, b".") + b"\r\n"


_KINDS: dict[str, Callable[[_Draft], bytes]] = {
    "english": _english,
    "utf-8": _in_charset("utf-8", _TRADITIONAL),
    "gb18030": _in_charset("gb18030", _SIMPLIFIED),
    "big5": _in_charset("big5", _TRADITIONAL),
    "html": _html,
    "reply": _reply,
}
