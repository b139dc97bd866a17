"""Keys without a reader: where each is set, whether it stops the daemon, and that the comments say so."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from desk.notyet import NOT_YET, WORDS, unread_settings

LEAST = '[desk]\ndomain = "example.org"\naddresses = ["support@example.org"]\n'
IMAP = '[[imap]]\nhost = "imap.example.org"\nuser = "support"\npassword_command = "pass x"\n'


def found(home: Path, more: str) -> list[tuple[str, bool]]:
    (home / "desk.toml").write_text(LEAST + more)
    return [(str(unread.fault).removeprefix(f"{home}/"), unread.stops) for unread in unread_settings(home)]


@pytest.mark.parametrize(
    ("more", "beginning", "stops"),
    [
        ('[lmtp]\nlisten = "unix:x"\n', "desk.toml:5:1: [lmtp] listen is not available yet; ", True),
        (IMAP, "desk.toml:4:3: [[imap]] is not available yet; ", True),
        (
            '[trust]\nauthserv_ids = ["mx.example.org"]\n',
            "desk.toml:5:1: [trust] authserv_ids is not available yet; ",
            False,
        ),
        ('[trust]\nown_check = "2s"\n', "desk.toml:5:1: [trust] own_check is not available yet; ", False),
        ('[runbooks.x]\nargv = ["/bin/x"]\n', "desk.toml:4:2: [runbooks.*] is not available yet; ", False),
    ],
)
def test_key_that_nothing_obeys_is_named_with_its_place(
    tmp_path: Path, more: str, beginning: str, stops: bool
) -> None:
    ((text, does_stop),) = found(tmp_path, more)

    assert (text[: len(beginning)], does_stop) == (beginning, stops)


def test_keys_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    texts = [text for text, _ in found(tmp_path, IMAP + '[trust]\nown_check = "2s"\n')]

    assert [text.split(" is ")[0] for text in texts] == [
        "desk.toml:4:3: [[imap]]",
        "desk.toml:9:1: [trust] own_check",
    ]


def test_values_that_switch_nothing_on_are_no_fault(tmp_path: Path) -> None:
    assert found(tmp_path, '[lmtp]\n[trust]\nauthserv_ids = []\nown_check = "off"\n') == []


def test_comments_of_a_new_home_say_it_once_for_each_key() -> None:
    text = resources.files("desk.newhome").joinpath("files", "desk.toml").read_text("utf-8")

    assert text.count(WORDS) == len(NOT_YET)
