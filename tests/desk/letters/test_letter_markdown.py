"""Markdown: the two bodies, and what strangers put into them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.letters.markdown import escape, to_html, to_plain

MARKUP = [
    "<script>alert(1)</script>",
    "<b>bold</b>",
    "**bold** _it_ `code`",
    "[click](https://example.com)",
    "![pixel](https://example.com/p.png)",
    "<https://example.com>",
    "[a]: https://example.com\n\n[a]",
    "# heading",
    "> quote",
    "- item\n- item",
    "1. item",
    "1) item",
    "---",
    "text\n===",
    "```\ncode\n```",
    "    indented",
    "a\n\n\tindented",
    "&lt;b&gt; &#42; &copy;",
    "\\*x\\*",
    "C:\\new\\*.exe",
    "***",
    "~~~",
    "&",
]


def without_tags(html):
    return re.sub(r"</?p>|<br>", "", html)


def test_markdown_becomes_html():
    assert to_html("**a** and `b`\nc") == "<p><strong>a</strong> and <code>b</code><br>\nc</p>\n"


def test_raw_html_is_shown():
    assert to_html("<script>x</script>") == "<p>&lt;script&gt;x&lt;/script&gt;</p>\n"


@pytest.mark.parametrize(
    "target", ["javascript:alert(1)", "JAVASCRIPT:x", "data:text/html,x", "vbscript:x", "file:///x"]
)
def test_links_to_dangerous_schemes_are_no_links(target):
    assert "href" not in to_html(f"[x]({target})")
    assert "href" not in to_html(escape("x") + f"[x]({escape(target)})")


def test_images_are_not_fetched():
    assert to_html("![a](https://example.com/a.png)") == '<p>!<a href="https://example.com/a.png">a</a></p>\n'


def test_paths_of_windows_keep_their_backslashes():
    path = r"\\server\share\_new\*.exe and C:\(old)"

    assert to_html(path) == f"<p>{path}</p>\n"
    assert to_plain(path) == path


@pytest.mark.parametrize("value", MARKUP)
def test_an_escaped_value_is_no_markup(value):
    html = to_html(f"before {escape(value)} after")

    assert set(re.findall("<[^>]*>", html)) <= {"<p>", "</p>", "<br>"}


@pytest.mark.parametrize("value", MARKUP)
def test_an_escaped_value_alone_is_no_markup(value):
    html = to_html(escape(value))

    assert set(re.findall("<[^>]*>", html)) <= {"<p>", "</p>", "<br>"}


@given(st.text(st.sampled_from("#*_`[]()<>&!-+=~|\\:.1a \t\n\"'印"), max_size=40))
def test_escaped_values_are_never_markup_and_read_as_written(value):
    html = to_html(f"{escape(value)}\n\n{escape(value)}")

    assert set(re.findall("<[^>]*>", html)) <= {"<p>", "</p>", "<br>"}
    assert to_plain(f"x{escape(value)}x") == re.sub(r"(?m)[ \t]+$", "", f"x{value}x")


def test_an_escaped_value_is_literal_in_code_and_in_the_target_of_a_link():
    assert to_html(f"`{escape('<a*b>')}`") == "<p><code>&lt;a*b&gt;</code></p>\n"
    assert (
        to_html(f"[x](mailto:{escape('a+b@example.org')})")
        == '<p><a href="mailto:a+b@example.org">x</a></p>\n'
    )


def test_a_value_cannot_leave_the_target_of_a_link():
    html = to_html(f"[x](https://example.org/{escape(chr(34) + ') <b onclick=1>')})")

    assert "<b" not in html
    assert html.count('"') in (0, 2)


def test_stand_ins_that_a_stranger_writes_are_removed():
    assert to_plain(escape("a\ufdd1b\U0001fffec")) == "abc"


def test_plain_text_is_the_markdown_tidied():
    assert to_plain("\n\n**a**  \r\n- b\t\r\n\r\nc\x1b[2J\x00\n\n") == "**a**\n- b\n\nc[2J"


@given(st.text(max_size=80))
def test_rendering_never_fails(text):
    assert isinstance(to_html(text), str)
