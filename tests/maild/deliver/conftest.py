"""Fixtures: a desk with an outbox, and the server that its letters go to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from desk import clock
from tests.maild.deliver.delivery import HOST, START, Office, opened_office
from tests.real.servers.sink import Sink


@pytest.fixture
def sink() -> Iterator[Sink]:
    """An SMTP server that records what it takes."""
    server = Sink()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def office(tmp_path: Path, sink: Sink) -> Iterator[Office]:
    """A desk whose smarthost is the sink; time stands still."""
    with clock.frozen(START), opened_office(tmp_path / "home") as office:
        office.sends_to(host=HOST, port=sink.port)
        yield office
