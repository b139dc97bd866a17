"""The only writers of the desk. Importing this package registers the handler of every command."""

from __future__ import annotations

from desk.handlers import filing, held, people, replies, tickets, undo

__all__ = ["filing", "held", "people", "replies", "tickets", "undo"]
