"""Small mails for the reading tests, put together from bytes."""

from __future__ import annotations


def mail(*fields: str | bytes, body: bytes = b"hello", sender: bytes | None = b"A <a@example.org>") -> bytes:
    """A mail with the given header lines; From, To and Subject are there unless given."""
    lines = [field.encode() if isinstance(field, str) else field for field in fields]
    names = {line.partition(b":")[0].lower() for line in lines}
    if sender is not None and b"from" not in names:
        lines.insert(0, b"From: " + sender)
    if b"to" not in names:
        lines.append(b"To: support@example.com")
    if b"subject" not in names:
        lines.append(b"Subject: printer")
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def multipart(kind: str, *parts: bytes, boundary: str = "b1", fields: tuple[str, ...] = ()) -> bytes:
    """A mail of several parts; each part is its header lines, a blank line, and its body."""
    return mail(
        *fields,
        "MIME-Version: 1.0",
        f'Content-Type: multipart/{kind}; boundary="{boundary}"',
        body=parts_of(*parts, boundary=boundary),
    )


def parts_of(*parts: bytes, boundary: str = "b1") -> bytes:
    """The body of a multipart."""
    mark = boundary.encode()
    return b"".join(b"--" + mark + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + mark + b"--\r\n"


def plain(text: str = "hello", charset: str = "utf-8") -> bytes:
    """A text/plain part."""
    return f"Content-Type: text/plain; charset={charset}\r\n\r\n".encode() + text.encode(charset)


def page(html: str) -> bytes:
    """A text/html part."""
    return b"Content-Type: text/html; charset=utf-8\r\n\r\n" + html.encode()
