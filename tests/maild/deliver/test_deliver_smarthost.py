"""The connection to the smarthost: kept, dropped, encrypted, logged in, and never waited for too long."""

from __future__ import annotations

import base64
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from desk.settings import Smarthost
from maild.deliver.routes import Abandoned, Refused
from maild.deliver.smarthost import Patience, SmarthostRoute
from tests.maild.deliver.delivery import HOST, QUICK
from tests.real.servers.loopback import wait_until
from tests.real.servers.programs import require_program
from tests.real.servers.sink import Sink, SinkHandler, Stage

RAW = b"Message-ID: <1@example.org>\r\n\r\nhello\r\n"
OpenRoute = Callable[..., SmarthostRoute]


@pytest.fixture
def open_route(sink: Sink) -> Iterator[OpenRoute]:
    """`open_route(**smarthost)` opens a way to the sink, or to the port that is given."""
    routes = []

    def open_one(patience: Patience = QUICK, **smarthost: object) -> SmarthostRoute:
        settings = Smarthost(**{"host": HOST, "port": sink.port, **smarthost})  # type: ignore[arg-type]
        routes.append(SmarthostRoute(settings, hostname="desk.example.org", patience=patience))
        return routes[-1]

    yield open_one
    for route in routes:
        route.close()


def send(route: SmarthostRoute) -> None:
    route.send(RAW, sender="support@example.org", recipient="a@example.net")


def refused(route: SmarthostRoute) -> Refused:
    with pytest.raises(Refused) as refusal:
        send(route)
    return refusal.value


def script(folder: Path, text: str) -> tuple[str, ...]:
    path = folder / "secret"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return (str(path),)


def test_connection_is_kept_for_the_next_letter(open_route: OpenRoute, sink: Sink) -> None:
    route = open_route()

    send(route)
    send(route)

    assert (len(sink.taken), sink.sessions, sink.open_sessions) == (2, 1, 1)


def test_connection_is_kept_after_a_refused_recipient(open_route: OpenRoute, sink: Sink) -> None:
    sink.answer("550 5.1.1 no such user", at="RCPT")
    route = open_route()

    refusal = refused(route)
    send(route)

    assert (refusal.code, refusal.text, refusal.is_final) == (550, "5.1.1 no such user", True)
    assert (len(sink.taken), sink.sessions) == (1, 1)


def test_connection_that_is_idle_too_long_is_not_used_again(open_route: OpenRoute, sink: Sink) -> None:
    route = open_route(Patience(idle_s=0.0))

    send(route)
    send(route)

    assert (len(sink.taken), sink.sessions) == (2, 2)


def test_resting_closes_an_idle_connection_and_keeps_a_busy_one(open_route: OpenRoute, sink: Sink) -> None:
    busy, idle = open_route(), open_route(Patience(idle_s=0.0))
    send(busy)
    send(idle)

    busy.rest()
    idle.rest()

    wait_until(lambda: sink.open_sessions == 1, "the idle connection to be closed")
    send(busy)
    assert sink.sessions == 2


def test_connection_that_the_server_closed_meanwhile_is_not_the_letters_trouble(
    open_route: OpenRoute, sink: Sink
) -> None:
    route = open_route()
    send(route)
    sink.stop()
    sink.start()

    send(route)

    assert (len(sink.taken), sink.sessions) == (2, 2)


def test_server_that_has_had_enough_of_a_connection_gets_a_new_one(open_route: OpenRoute, sink: Sink) -> None:
    route = open_route()
    send(route)
    sink.answer("421 4.4.2 enough", at="MAIL")

    send(route)

    assert (len(sink.taken), sink.sessions) == (2, 2)


def test_server_that_is_closing_on_a_new_connection_is_a_refusal_for_now(
    open_route: OpenRoute, sink: Sink
) -> None:
    sink.answer("421 4.3.2 shutting down", at="MAIL")

    refusal = refused(open_route())

    assert (refusal.code, refusal.is_final, sink.sessions) == (421, False, 1)


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
def test_server_that_falls_asleep_is_left_after_a_while(
    open_route: OpenRoute, sink: Sink, stage: Stage
) -> None:
    sink.sleep(at=stage)
    route = open_route(Patience(answer_s=0.2))

    refusal = refused(route)
    send(route)

    assert (refusal.code, refusal.is_final, len(sink.taken)) == (None, False, 1)


def test_whole_letter_has_a_limit_whatever_the_single_answers_take(open_route: OpenRoute, sink: Sink) -> None:
    sink.sleep()
    route = open_route(Patience(letter_s=0.3))

    began = time.monotonic()
    refusal = refused(route)

    assert (refusal.is_final, time.monotonic() - began < 3) == (False, True)


def test_abandoned_route_gives_up_at_once_and_for_good(open_route: OpenRoute, sink: Sink) -> None:
    route = open_route()
    route.abandon()

    with pytest.raises(Abandoned):
        send(route)

    assert sink.sessions == 0


def test_greeting_that_refuses_is_a_refusal_for_now(open_route: OpenRoute) -> None:
    class Busy(SinkHandler):
        async def handle_EHLO(  # noqa: N802 - the name is aiosmtpd's
            self, server: object, session: object, envelope: object, name: str, replies: list[str]
        ) -> list[str]:
            return ["554 5.3.2 not today"]

        async def handle_HELO(  # noqa: N802 - the name is aiosmtpd's
            self, server: object, session: object, envelope: object, name: str
        ) -> str:
            return "554 5.3.2 not today"

    busy = Sink(Busy)
    busy.start()
    try:
        refusal = refused(open_route(port=busy.port))

        where = f"smarthost 127.0.0.1:{busy.port}"
        assert (refusal.is_final, refusal.text) == (False, f"{where} said 554 5.3.2 not today")
        wait_until(lambda: busy.open_sessions == 0, "the connection to be closed")
    finally:
        busy.stop()


# Logging in


def of_password(
    server: object, session: object, envelope: object, mechanism: str, data: object
) -> AuthResult:
    is_right = isinstance(data, LoginPassword) and tuple(data) == (b"desk", b"open sesame")
    return AuthResult(success=is_right, auth_data="desk" if is_right else None, handled=False)


class WithToken(SinkHandler):
    """Knows XOAUTH2 only."""

    async def auth_XOAUTH2(self, server: object, arguments: list[str]) -> AuthResult:  # noqa: N802
        said = base64.b64decode(arguments[1])
        is_right = said == b"user=desk\x01auth=Bearer t0ken\x01\x01"
        return AuthResult(success=is_right, auth_data="desk" if is_right else None, handled=False)


@pytest.fixture
def locked_sink() -> Iterator[Sink]:
    """A sink that asks for a password."""
    server = Sink(authenticator=of_password, auth_require_tls=False)
    server.start()
    yield server
    server.stop()


def test_password_comes_from_the_command(open_route: OpenRoute, locked_sink: Sink, tmp_path: Path) -> None:
    command = script(tmp_path, "echo 'open sesame'; echo a second line")

    send(open_route(port=locked_sink.port, user="desk", password_command=command))

    assert [taken.login for taken in locked_sink.taken] == ["desk"]


def test_wrong_password_keeps_letters_waiting(
    open_route: OpenRoute, locked_sink: Sink, tmp_path: Path
) -> None:
    command = script(tmp_path, "echo wrong")

    refusal = refused(open_route(port=locked_sink.port, user="desk", password_command=command))

    assert (refusal.is_final, "said 535 " in refusal.text, "wrong" in refusal.text) == (False, True, False)
    wait_until(lambda: locked_sink.open_sessions == 0, "the connection to be closed")


@pytest.mark.parametrize(
    ("text", "why"),
    [("exit 3", "gave no password (exit 3)"), ("true", "gave no password (exit 0)")],
    ids=["fails", "silent"],
)
def test_command_without_a_password_is_named(
    open_route: OpenRoute, locked_sink: Sink, tmp_path: Path, text: str, why: str
) -> None:
    command = script(tmp_path, text)

    refusal = refused(open_route(port=locked_sink.port, user="desk", password_command=command))

    assert refusal.text == f"the command {command[0]!r} of [smarthost] {why}"


def test_token_comes_from_the_command(open_route: OpenRoute, tmp_path: Path) -> None:
    server = Sink(WithToken, auth_require_tls=False, auth_exclude_mechanism=["LOGIN", "PLAIN"])
    server.start()
    try:
        route = open_route(port=server.port, user="desk", token_command=script(tmp_path, "echo t0ken"))
        send(route)

        assert [taken.login for taken in server.taken] == ["desk"]
    finally:
        server.stop()


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with key.pem and cert.pem for 127.0.0.1, signed by itself."""
    folder = tmp_path_factory.mktemp("certificate")
    command = [str(require_program("openssl")), "req", "-x509", "-newkey", "ec", "-pkeyopt"]
    command += ["ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    return folder


@pytest.fixture
def tls_sink(certificate: Path) -> Iterator[Sink]:
    """A sink that takes no mail before STARTTLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    server = Sink(tls_context=context, require_starttls=True)
    server.start()
    yield server
    server.stop()


def test_letters_go_encrypted_to_a_server_whose_certificate_is_known(
    open_route: OpenRoute, tls_sink: Sink, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    route = open_route(port=tls_sink.port, tls="require")

    send(route)
    send(route)

    assert (len(tls_sink.taken), tls_sink.sessions) == (2, 1)


def test_letters_wait_when_the_certificate_is_not_known(open_route: OpenRoute, tls_sink: Sink) -> None:
    refusal = refused(open_route(port=tls_sink.port, tls="require"))

    assert (refusal.is_final, tls_sink.taken) == (False, [])
    assert refusal.text.startswith(f"TLS with smarthost 127.0.0.1:{tls_sink.port} failed: ")


def test_letters_wait_when_the_server_offers_no_starttls(open_route: OpenRoute, sink: Sink) -> None:
    refusal = refused(open_route(tls="require"))

    assert (refusal.is_final, sink.taken) == (False, [])
    assert refusal.text == (
        f"smarthost 127.0.0.1:{sink.port} offers no STARTTLS; letters wait"
        ' (tls = "off" in [smarthost] would send them unencrypted)'
    )


def test_server_that_insists_on_tls_does_not_fail_letters(open_route: OpenRoute, tls_sink: Sink) -> None:
    refusal = refused(open_route(port=tls_sink.port, tls="off"))

    assert (refusal.code, refusal.is_final) == (530, False)
