"""A new home runs without an edit, and every key in its comments is a real one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from desk.errors import Invalid
from desk.forms import ListenAddress
from desk.homefiles import check_home, read_home
from desk.homemodes import warnings
from desk.newhome import machine_timezone, write_home
from desk.settings import Settings, load_settings
from desk.tomlfile import parse, problems

ROOT_CATEGORIES = (
    "hardware software server network security access backup remote monitoring request question change"
)


def uncommented(text: str) -> str:
    """Every line that begins with #key or #[table], without the #."""
    return re.sub(r"^#(?=\S)", "", text, flags=re.MULTILINE)


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def test_new_home_has_no_fault_and_can_run(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"

    written = write_home(home)

    assert check_home(home) == []
    assert warnings(home) == []
    settings = load_settings(home)
    assert settings.smtp.listen == ListenAddress(host="127.0.0.1", port=2525)
    assert (settings.desk.addresses, settings.smarthost.is_set) == (("support@example.org",), False)
    assert written[-1] == home / "desk.toml"
    assert sorted(written) == sorted(path for path in home.rglob("*") if path.is_file())


def test_values_given_are_in_the_files(tmp_path: Path) -> None:
    name = 'A "B" \\ $DOMAIN 服務台'

    write_home(tmp_path, address="IT@Corp.example", timezone="Asia/Taipei", language="zh-Hant", name=name)

    desk = load_settings(tmp_path).desk
    assert (desk.name, desk.domain, desk.addresses) == (name, "corp.example", ("it@corp.example",))
    assert (desk.timezone, desk.language) == ("Asia/Taipei", "zh-Hant")
    found = read_home(tmp_path)
    assert (found.queues["help-desk"].title, found.queues["help-desk"].addresses) == (
        "服務台",
        ("it@corp.example",),
    )
    assert found.calendars["default"].zone == "Asia/Taipei"
    assert check_home(tmp_path) == []


def test_categories_have_titles_in_all_languages(tmp_path: Path) -> None:
    write_home(tmp_path)

    categories = read_home(tmp_path).categories

    assert [key for key in categories if "." not in key] == ROOT_CATEGORIES.split()
    assert {"hardware.printer", "network.vpn", "access.password", "security.phishing"} < categories.keys()
    assert {tuple(titles) for titles in categories.values()} == {("en", "zh-Hant", "zh-Hans")}


def test_every_key_of_desk_toml_is_in_the_file_and_every_commented_one_is_real(tmp_path: Path) -> None:
    write_home(tmp_path)
    text = uncommented((tmp_path / "desk.toml").read_text())
    keys = set(re.findall(r"^(\w+) = ", text, re.MULTILINE)) | set(re.findall(r"`(\w+) = ", text))

    assert problems(tmp_path / "desk.toml", Settings, data=text.encode()) == []
    assert keys == {
        field
        for table in Settings.__struct_fields__
        for field in struct_fields(load_settings_of(text), table)
    }


def load_settings_of(text: str) -> Settings:
    document = parse(Path("desk.toml"), data=text.encode())
    settings: Settings = document.convert(Settings, (), document.table)
    return settings


def struct_fields(settings: Settings, table: str) -> tuple[str, ...]:
    value = getattr(settings, table)
    if isinstance(value, tuple):
        value = value[0]
    if isinstance(value, dict):
        value = next(iter(value.values()))
    fields: tuple[str, ...] = value.__struct_fields__
    return fields


def test_alternatives_in_comments_can_be_set_too(tmp_path: Path) -> None:
    write_home(tmp_path)
    text = uncommented((tmp_path / "desk.toml").read_text())
    text = re.sub(r"^# Instead .*`(\w+ = [^`]+)`$", r"\1", text, flags=re.MULTILINE)
    text = re.sub(r'^(?:password_command = .*|host = "mail\..*)\n', "", text, flags=re.MULTILINE)

    settings = load_settings_of(text)

    assert settings.smarthost.maildir == Path("outgoing")
    assert (
        settings.smarthost.token_command == settings.imap[0].token_command == ("/usr/local/bin/mail-token",)
    )


def test_commented_keys_of_all_other_files_are_real(tmp_path: Path) -> None:
    write_home(tmp_path)
    for path in tmp_path.rglob("*.toml"):
        if path.name != "desk.toml":
            path.write_text(uncommented(path.read_text()))

    assert check_home(tmp_path) == []
    assert read_home(tmp_path).queues["help-desk"].swarm["severe"].size == 3


def test_home_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "desk.toml").write_text("mine")

    with pytest.raises(Invalid, match=r"desk\.toml exists; `desk init` overwrites nothing"):
        write_home(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["desk.toml"]


def test_files_that_are_there_already_are_kept(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "teams.toml").write_text('[service-desk]\ntitle = "Mine"\n')

    written = write_home(tmp_path)

    assert tmp_path / "teams.toml" not in written
    assert read_home(tmp_path).teams["service-desk"].title == "Mine"
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_modes_do_not_depend_on_the_umask(tmp_path: Path) -> None:
    home = tmp_path / "home"

    with umask(0o000):
        write_home(home)

    assert home.stat().st_mode & 0o777 == 0o750
    modes = {path.is_dir(): set[int]() for path in home.rglob("*")}
    for path in home.rglob("*"):
        modes[path.is_dir()].add(path.stat().st_mode & 0o777)
    assert modes == {True: {0o755}, False: {0o644}}


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        (
            {"address": "a" * 32 + "@example.org"},
            "its part before the @ has 32 characters; choose one of up to 31",
        ),
        ({"address": "support"}, "address 'support' is not accepted; write a plain mail address"),
        ({"domain": "nodot"}, "domain 'nodot' is not accepted; write a domain"),
        ({"timezone": "asia/tapei"}, 'did you mean "Asia/Taipei"?'),
        ({"language": "zh-CN"}, 'did you mean "zh-Hans"?'),
        ({"name": "a\nb"}, "write text of one line"),
    ],
)
def test_wrong_value_is_refused_before_anything_is_written(
    tmp_path: Path, values: dict[str, str], refusal: str
) -> None:
    with pytest.raises(Invalid, match=re.escape(refusal)):
        write_home(tmp_path / "home", **values)

    assert list(tmp_path.iterdir()) == []


def test_folder_that_cannot_be_made_is_a_clear_refusal(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(Invalid, match=r"file/home cannot be written: Not a directory$"):
        write_home(tmp_path / "file" / "home")


def test_timezone_of_the_environment_is_taken_and_a_wrong_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", ":Asia/Taipei")
    assert machine_timezone() == "Asia/Taipei"

    monkeypatch.setenv("TZ", "No/Where")
    assert machine_timezone() != "No/Where"
