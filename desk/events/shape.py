"""What all events have in common: a name, typed data, and which of it may be erased."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

BY_NAME: dict[str, type[Happening]] = {}


class Happening(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from", "class_": "class"}):
    """The data of one event.

    Attributes:
        event: the name, `noun.verb`.
        personal: fields with text of people. They lie beside the chain under a salted hash and can be erased.
    """

    event: ClassVar[str]
    personal: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "event" in cls.__dict__:
            BY_NAME[cls.event] = cls

    def split(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The data in two parts: what stays for ever, and what may be erased."""
        lasting: dict[str, Any] = msgspec.to_builtins(self)
        erasable = {name: lasting.pop(name) for name in self._personal_keys()}
        return lasting, erasable

    @classmethod
    def _personal_keys(cls) -> tuple[str, ...]:
        return tuple("from" if name == "from_" else name for name in cls.personal)
