"""For whom the doors take mail: the desk's addresses, with and without a token. No I/O; asked on the loop."""

from __future__ import annotations

from desk.letters.tokens import Refusal, find_in_address, verify
from desk.service import Desk
from maild.intake.terms import Verdict


class DeskRecipients:
    """Answers from the settings and keys as they are at that moment."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        desk.postroom.known_keys()  # asks the store now, so that no answer has to

    def verdict(self, address: str) -> Verdict:
        """Judge a lower-case address."""
        own = self._desk.settings.desk.addresses
        local, _, domain = address.rpartition("@")
        is_ours = f"{local.partition('+')[0]}@{domain}" in own
        if is_ours:
            return self._of_token(address)
        if address == "postmaster" or (local == "postmaster" and domain in self._domains()):
            return Verdict.ACCEPT  # RFC 5321 section 4.5.1: every domain that takes mail takes this
        return Verdict.UNKNOWN if domain in self._domains() else Verdict.RELAY

    def _of_token(self, address: str) -> Verdict:
        text = find_in_address(address, self._desk.settings.desk.addresses)
        if text is not None and verify(self._desk.postroom.known_keys(), text) is Refusal.FORGED:
            return Verdict.FORGED
        return Verdict.ACCEPT

    def _domains(self) -> frozenset[str]:
        desk = self._desk.settings.desk
        return frozenset({desk.domain, *(address.rpartition("@")[2] for address in desk.addresses)})
