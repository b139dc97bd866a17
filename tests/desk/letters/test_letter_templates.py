"""Templates: shipped ones, those of the home, and what values may not do."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.errors import FileError, NotFound
from desk.letters.markdown import Markdown, to_html
from desk.letters.templates import VARIABLES, Problem, Templates, check

LANGUAGES = ["en", "zh-Hant", "zh-Hans"]
GIVEN = {"number": 101, "subject": "VPN", "name": "甲", "expected": "09:30", "text": Markdown("**typed**")}
SOURCE = "Subject: {{ a }}\n\n{{ b }}\n"


def shipped(letter, language, **changes):
    values = {key: GIVEN[key] for key in VARIABLES[letter]} | changes
    return Templates().render(letter, language, values)


def one(text, **variables):
    return Templates({("x", "en"): text}).render("x", "en", variables)


@pytest.mark.parametrize(("name", "language"), list(itertools.product(VARIABLES, LANGUAGES)))
def test_every_shipped_template_is_sound_and_renders_with_all_values_and_with_few(name, language):
    source = Templates()._texts[name, language]
    few = dict.fromkeys(VARIABLES[name] - {"number"})

    full, bare = shipped(name, language), shipped(name, language, **few)

    assert check(name, language, source, VARIABLES[name]) == []
    assert (full.language, bare.language) == (language, language)
    assert "101" in full.plain
    assert "101" in bare.subject
    assert "None" not in bare.subject + bare.plain
    assert "{" not in full.subject + full.plain + bare.plain


def test_shipped_names_are_those_whose_variables_are_known():
    assert Templates().names() == frozenset(VARIABLES)


def test_the_acknowledgement_in_english():
    rendered = shipped("acknowledgement", "en", name=None, subject=None)

    assert rendered.subject == "We have received your request [#101]"
    assert rendered.plain == (
        "Hello,\n\n"
        "thank you for writing to us. Your request has arrived; its number is #101.\n\n"
        "A technician will look into it and answer you by mail. "
        "You can expect our first answer by 09:30.\n\n"
        "Would you like to add something? "
        "Simply answer this mail: what you write or attach joins the same request."
    )


def test_the_acknowledgement_in_traditional_chinese():
    rendered = shipped("acknowledgement", "zh-Hant", expected=None)

    assert rendered.subject == "Re: VPN [#101]"
    assert rendered.plain == (
        "甲 您好：\n\n"
        "感謝您的來信。我們已收到您的需求，工單編號為 #101。\n\n"
        "技術人員會儘快查看，並以郵件回覆您。\n\n"
        "如需補充說明或提供附件，直接回覆這封郵件即可，內容會加入同一張工單。"
    )


def test_the_copy_of_a_ticket_keeps_the_technicians_markdown():
    rendered = shipped("copy", "zh-Hans", text=Markdown("**A**\n\n- b"))

    assert rendered.subject == "VPN [#101]"
    assert "<p><strong>A</strong></p>\n<ul>\n<li>b</li>\n</ul>" in to_html(rendered.body)


@pytest.mark.parametrize(
    ("there", "asked", "got"),
    [
        ("en zh-Hant zh-Hans", "zh-Hant", "zh-Hant"),
        ("en zh-Hans", "zh-Hant", "zh-Hans"),
        ("en zh-Hant", "zh-Hans", "zh-Hant"),
        ("en", "zh-Hant", "en"),
        ("en", "zh-Hans", "en"),
        ("en zh-Hant", "en", "en"),
        ("en zh-Hant", "fr", "en"),
    ],
)
def test_the_chain_of_languages(there, asked, got):
    templates = Templates({("x", tag): f"Subject: {tag}\n\nbody" for tag in there.split()})

    rendered = templates.render("x", asked, {})

    assert (rendered.language, rendered.subject) == (got, got)


def test_a_template_that_is_nowhere_in_the_chain_is_not_found():
    with pytest.raises(NotFound, match="no template 'x' for en; there are acknowledgement, copy, x"):
        Templates({("x", "zh-Hant"): SOURCE}).render("x", "en", {})


def test_a_template_of_the_home_replaces_the_shipped_one_of_its_language_only():
    templates = Templates({("copy", "en"): "Subject: ours\n\nours"})

    values = {key: GIVEN[key] for key in VARIABLES["copy"]}
    assert templates.render("copy", "en", values).plain == "ours"
    assert templates.render("copy", "zh-Hant", values).subject == "VPN [#101]"
    assert Templates().render("copy", "en", values).subject == "VPN [#101]"


@pytest.mark.parametrize(
    "value",
    [
        "{{ 7*7 }}",
        "{% for a in [1] %}x{% endfor %}",
        "{# x #}",
        "{{ ''.__class__ }}",
        "{0.__class__}",
        "%(x)s",
        "{{",
    ],
)
def test_a_value_is_never_template_source(value):
    rendered = one(SOURCE, a=value, b=value)

    assert (rendered.subject, rendered.plain) == (value, value)


@given(st.text(st.sampled_from("{}%#*_`[]()<>!-:/. ax\n"), max_size=30))
def test_a_value_is_shown_literally_and_never_markup(value):
    rendered = one("Subject: x\n\na {{ b }} c", b=value)

    assert to_html(rendered.body).replace("<br>", "").count("<") == 2 * to_html(rendered.body).count("<p>")


def test_a_value_in_the_subject_stays_on_one_line():
    assert one(SOURCE, a="x\r\nBcc: a@example.org\0", b="").subject == "x Bcc: a@example.org"


def test_markdown_that_went_through_a_filter_is_a_value_again():
    rendered = one("Subject: x\n\n{{ b|upper }} {{ b }}", b=Markdown("**b**"))

    assert to_html(rendered.body) == "<p>**B** <strong>b</strong></p>\n"


def test_missing_empty_lines_of_unused_blocks_are_closed_up():
    assert one("Subject: x\n\na\n{% if b %}\nb\n{% endif %}\n\nc", b=None).plain == "a\n\nc"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Subject: x\n\na\nb {{ c }}", "templates/x.en.md:4:1: 'c' is undefined"),
        ("Subject: {{ c }}\n\na", "templates/x.en.md:1:1: 'c' is undefined"),
        ("Subject: x\n\n{{ a.b }}", "templates/x.en.md:3:1: 'str object' has no attribute 'b'"),
        ("Subject: x\n\n{{ 1/0 }}", "templates/x.en.md:3:1: division by zero"),
        (
            "Subject: x\n\n\n{% if %}",
            "templates/x.en.md:4:1: Expected an expression, got 'end of statement block'",
        ),
        ("Hello", "templates/x.en.md:1:1: the first line must be `Subject: ...`"),
        ("Subject:\n\nx", "templates/x.en.md:1:1: the first line must be `Subject: ...`"),
        ("Subject: x\ny", "templates/x.en.md:2:1: an empty line must stand between the subject and the text"),
        ("", "templates/x.en.md:1:1: the first line must be `Subject: ...`"),
    ],
)
def test_a_broken_template_is_refused_with_its_place(text, place):
    with pytest.raises(FileError) as refusal:
        one(text, a="a")

    assert str(refusal.value) == place


@pytest.mark.parametrize(
    "expression",
    ["a.__class__", "a.__class__.__mro__", "a|attr('__class__')", "range(9)", "a.format.__globals__"],
)
def test_a_template_cannot_reach_out_of_its_sandbox(expression):
    with pytest.raises(FileError):
        one(f"Subject: x\n\n{{{{ {expression} }}}}", a="a")


def test_check_names_line_column_and_a_near_name():
    body = "x {{ nane }}\n{{ ticket.number }} {{ name|upper }}\n{% set y = 1 %}{{ y }}"
    text = f"Subject: {{{{ ticket.nummer }}}}\n\n{body}"

    assert check("x", "en", text, {"name", "ticket.number"}) == [
        Problem(1, 13, 'undefined variable "ticket.nummer"; did you mean "ticket.number"?'),
        Problem(3, 6, 'undefined variable "nane"; did you mean "name"?'),
    ]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("Subject: x\n\n\n{% endif %}", [(4, "Encountered unknown tag 'endif'.")]),
        ("Subject: x\n\n{{ name|nofilter }}", [(3, "No filter named 'nofilter'.")]),
        ("Subject: {{ name\n\nx", [(1, "unexpected end of template, expected 'end of print statement'.")]),
        (
            "Subject: x\n\n{% include 'y' %}",
            [(3, "a letter's template stands alone: no include, import or extends")],
        ),
        ("name: x\n\nx", [(1, "the first line must be `Subject: ...`")]),
    ],
)
def test_check_finds(text, problems):
    assert [(p.line, p.message) for p in check("x", "en", text, {"name"})] == problems


def test_check_refuses_a_language_that_we_do_not_write():
    assert [p.message for p in check("x", "zh", SOURCE, {"a", "b"})] == [
        "x.zh.md: unknown language; one of en, zh-Hant, zh-Hans"
    ]


def test_a_problem_becomes_an_error_of_its_file():
    assert str(Problem(3, 6, "undefined").at("templates/x.en.md")) == "templates/x.en.md:3:6: undefined"
