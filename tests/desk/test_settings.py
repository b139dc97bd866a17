"""desk.toml: what the defaults are, what does not go together, and that no password is shown."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from desk.errors import FileError, NotFound
from desk.forms import ListenAddress
from desk.settings import Imap, Runbook, Settings, load_settings, settings_problems

LEAST = '[desk]\ndomain = "example.org"\naddresses = ["Support@Example.org"]\n'
IMAP = '[[imap]]\nhost = "imap.example.org"\nuser = "support"\n'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def settings_of(home: Path, more: str) -> Settings:
    (home / "desk.toml").write_text(LEAST + more)
    return load_settings(home)


def fault_of(home: Path, more: str) -> str:
    """The only fault, without the folder and LEAST's three lines."""
    (home / "desk.toml").write_text(LEAST + more)
    (fault,) = settings_problems(home)
    return f"{fault.line - 3}:{fault.column}: {fault.message}"


def test_short_file_is_filled_with_the_documented_defaults(home: Path) -> None:
    settings = settings_of(home, "")

    assert settings.desk.addresses == ("support@example.org",)
    assert (settings.desk.timezone, settings.desk.language, settings.desk.queue) == ("UTC", "en", "help-desk")
    assert settings.store.url == "sqlite:desk.db"
    assert (settings.smtp.listen, settings.smtp.max_message, settings.smtp.rate_per_peer) == (
        None,
        36_000_000,
        0,
    )
    assert settings.trust.trusted_mtas == (ip_network("127.0.0.1/32"),)
    assert (settings.trust.authserv_ids, settings.trust.own_check) == ((), None)
    assert (settings.smarthost.is_set, settings.smarthost.port, settings.smarthost.tls) == (False, 25, "auto")
    limits = settings.limits
    assert (limits.new_tickets_per_sender, limits.acks_per_address, limits.acks_to_new_addresses) == (
        100,
        4,
        100,
    )
    assert (settings.imap, settings.runbooks, settings.readers.workers) == ((), {}, 2)


def test_every_documented_table_is_read(home: Path) -> None:
    settings = settings_of(
        home,
        """
        [smtp]
        listen = "[::1]:2525"
        max_message = "1MB"
        [trust]
        own_check = "2s"
        trusted_mtas = ["10.0.0.0/8", "::1"]
        [lmtp]
        listen = "unix:run/lmtp.sock"
        [smarthost]
        maildir = "outgoing"
        [[imap]]
        host = "imap.example.org"
        user = "support"
        password_command = "pass show support"
        border = true
        [runbooks.scan-attachments]
        argv = ["/usr/bin/clamdscan", "-"]
        timeout = "5m"
        """,
    )

    assert settings.smtp.listen == ListenAddress(host="::1", port=2525)
    assert settings.smtp.max_message == 1_000_000
    assert settings.trust.own_check == timedelta(seconds=2)
    assert settings.trust.trusted_mtas == (ip_network("10.0.0.0/8"), ip_network("::1/128"))
    assert settings.lmtp.listen == ListenAddress(path="run/lmtp.sock")
    assert (settings.smarthost.maildir, settings.smarthost.is_set) == (Path("outgoing"), True)
    command = ("pass", "show", "support")
    assert settings.imap == (
        Imap(host="imap.example.org", user="support", password_command=command, border=True),
    )
    runbook = Runbook(argv=("/usr/bin/clamdscan", "-"), timeout=timedelta(minutes=5))
    assert settings.runbooks == {"scan-attachments": runbook}


def test_relative_database_lies_in_the_home(home: Path) -> None:
    assert settings_of(home, "").store.sqlite_path(home) == home / "desk.db"
    assert settings_of(home, '[store]\nurl = "sqlite:/x/y.db"').store.sqlite_path(home) == Path("/x/y.db")
    assert settings_of(home, '[store]\nurl = "postgresql://db/desk"').store.sqlite_path(home) is None


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        (
            '[smarthost]\nhost = "a.example"\nmaildir = "x"',
            '3:1: [smarthost] has "host" and "maildir"; keep one of them',
        ),
        (
            '[smarthost]\nuser = "x"',
            '2:1: [smarthost] has "user" but no password; add password_command = "pass show desk"',
        ),
        (
            '[smarthost]\npassword_command = "x"',
            '1:2: [smarthost] has a password but no "user"; add user = "desk"',
        ),
        (
            '[smarthost]\nhost = "a.example"\ntls = "off"\nuser = "x"\npassword_command = "x"',
            '3:1: [smarthost] would send the login unencrypted; write tls = "require"',
        ),
        (IMAP, '1:3: [[imap]] has no "password_command"; add password_command = "pass show support"'),
        (
            IMAP + 'password_command = "x"\ntoken_command = "y"',
            '5:1: [[imap]] has "password_command" and "token_command"; keep one of them',
        ),
        (
            IMAP + 'password_command = "x"\ntls = "none"',
            '5:1: [[imap]] would send the password unencrypted; write tls = "starttls"',
        ),
        (
            IMAP + 'password_command = "x"\nmove_to = "INBOX"',
            "5:1: [[imap]] would move mail to the folder it watches; choose another folder",
        ),
        ("[smtp]\nlistn = 1", '2:1: unknown key "listn" in [smtp]; did you mean "listen"?'),
    ],
)
def test_what_does_not_go_together_is_refused_with_a_remedy(home: Path, more: str, fault: str) -> None:
    assert fault_of(home, more) == fault


def test_plain_text_is_allowed_to_this_machine(home: Path) -> None:
    settings = settings_of(
        home, IMAP.replace("imap.example.org", "127.0.0.1") + 'password_command = "x"\ntls = "none"'
    )

    assert settings.imap[0].tls == "none"


def test_desk_without_an_address_is_refused(home: Path) -> None:
    (home / "desk.toml").write_text('[desk]\ndomain = "example.org"\naddresses = []\n')

    with pytest.raises(FileError, match=r":3:1: \[desk\] has no address; add one"):
        load_settings(home)


def test_missing_desk_toml_names_desk_init(home: Path) -> None:
    with pytest.raises(NotFound, match=r"desk\.toml does not exist; make a home with `desk init`"):
        load_settings(home)
    assert len(settings_problems(home)) == 1


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://desk:hunter2@db.example/desk", "postgresql://desk:***@db.example/desk"),
        ("postgresql://desk:hunt@er2@db.example/desk", "postgresql://desk:***@db.example/desk"),
        ("postgresql://db.example/desk?password=hunter2", "postgresql://db.example/desk?***"),
    ],
)
def test_password_of_the_store_is_never_shown(home: Path, url: str, shown: str) -> None:
    settings = settings_of(home, f'[store]\nurl = "{url}"')

    assert settings.store.shown == shown
    assert settings.store.has_password
    assert "er2" not in repr(settings) + str(settings) + str(settings.store.__rich_repr__())
    assert settings.store.url == url


def test_store_without_a_password_is_shown_whole(home: Path) -> None:
    store = settings_of(home, '[store]\nurl = "postgresql://desk@db.example/desk?sslmode=require"').store

    assert (store.shown, store.has_password) == (store.url, False)


def test_wrong_store_address_is_not_repeated_in_the_error(home: Path) -> None:
    fault = fault_of(home, '[store]\nurl = "mysql://desk:hunter2@db/desk"')

    assert fault == (
        '2:7: url in [store] is not accepted; write "sqlite:desk.db", or "postgresql://USER@HOST/DATABASE"'
    )


def test_smtp_does_not_listen_on_a_socket_path(home: Path) -> None:
    with pytest.raises(FileError, match=r'listen = "127\.0\.0\.1:2525"'):
        settings_of(home, '[smtp]\nlisten = "unix:run/smtp.sock"')
