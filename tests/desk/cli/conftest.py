"""Fixtures for the tests of commands."""

from __future__ import annotations

from tests.command_line import home, made_home, run

__all__ = ["home", "made_home", "run"]
