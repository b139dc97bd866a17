"""A Postfix of our own, apart from the system's: own configuration, queue, data and log.

It takes mail on a loopback port and plays both parts: the MTA before the desk (`route` names the server of a
domain) and the smarthost behind it. Mail for `mailbox_domains` is delivered into one Maildir; mail for any
other domain without a route is taken and then bounced, so that real delivery reports come back.
"""

from __future__ import annotations

import os
import pwd
import signal
import smtplib
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.real.servers.loopback import HOST, accepts, free_port, server_folder, wait_until
from tests.real.servers.programs import require_program, require_root

# Not root, because virtual(8) refuses to deliver as root.
_MAILBOX_USER = "nobody"
_RELOADED = "reload -- version"
_QUEUE = ["active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming"]
_QUEUE += ["maildrop", "pid", "private", "public", "saved", "trace"]
_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
inet_interfaces = {host}
inet_protocols = ipv4
myhostname = mx.example.test
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
smtpd_reject_unlisted_recipient = no
smtp_tls_security_level = none
smtp_dns_support_level = disabled
message_size_limit = 52428800
mailbox_size_limit = 0
virtual_mailbox_limit = 0
# Nothing is local: aliases, .forward files and the unix users of the machine stay out of it.
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
virtual_alias_maps =
virtual_mailbox_domains = texthash:{folder}/etc/mailbox_domains
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = static:inbox/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
transport_maps = texthash:{folder}/etc/transport
default_transport = error:5.1.2 no such domain
# What is deferred is tried again at once, for tests that take the next server away and bring it back.
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
"""
_MASTER = """\
{host}:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
virtual unix - n n - - virtual
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass
class Postfix:
    """One running instance. `folder` holds `etc/`, `queue/`, `mail/inbox/` and `postfix.log`."""

    folder: Path
    port: int
    host: str = HOST
    _process: subprocess.Popen[bytes] | None = None
    _routes: dict[str, str] = field(default_factory=dict)

    def route(self, domain: str, port: int, *, protocol: str = "smtp", host: str = HOST) -> None:
        """Hand mail for a domain to the SMTP (or LMTP, `protocol="lmtp"`) server on this port.

        A running Postfix reloads, which ends the sessions there are.
        """
        self._routes[domain] = f"{protocol}:[{host}]:{port}"
        self._write_routes()
        if self._process is not None:
            reloads = self.log().count(_RELOADED)
            self._process.send_signal(signal.SIGHUP)
            wait_until(lambda: self.log().count(_RELOADED) > reloads, "Postfix to reload")
            wait_until(self._greets, "Postfix to greet again")

    def start(self) -> None:
        """Start the master process and wait until it greets; also after `stop`."""
        master = [self._setting("daemon_directory") + "/master", "-c", str(self.folder / "etc"), "-s"]
        self._process = subprocess.Popen(
            master, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        wait_until(self._greets, f"Postfix, see {self.folder}/postfix.log", timeout_s=20)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the master process by its id and then what is left of its group; the queue is kept."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=20)
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process = None
            wait_until(lambda: not accepts(self.port), "Postfix to let go of its port")

    def mails(self, recipient: str | None = None) -> list[bytes]:
        """What has arrived in the Maildir, oldest first, for one address or all.

        Postfix has put Return-Path, X-Original-To and Delivered-To before each.
        """
        files = sorted((self.folder / "mail/inbox/new").glob("*"), key=lambda file: file.stat().st_mtime_ns)
        mails = [file.read_bytes() for file in files]
        if recipient is None:
            return mails
        return [
            mail for mail in mails if f"X-Original-To: {recipient}\n".encode() in mail.split(b"\n\n", 1)[0]
        ]

    def wait_for_mails(
        self, number: int, *, recipient: str | None = None, timeout_s: float = 20.0
    ) -> list[bytes]:
        """Wait until at least so many mails have arrived, and return them."""
        wait_until(
            lambda: len(self.mails(recipient)) >= number,
            f"{number} mails in the Maildir",
            timeout_s=timeout_s,
        )
        return self.mails(recipient)

    def queued(self) -> int:
        """How many mails this Postfix still has to deliver."""
        folders = ("incoming", "active", "deferred", "maildrop")
        queue = self.folder / "queue"
        return sum(1 for name in folders for file in (queue / name).rglob("*") if file.is_file())

    def log(self) -> str:
        """Everything Postfix has logged."""
        file = self.folder / "postfix.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def _greets(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise RuntimeError(f"Postfix ended at once:\n{self.log()[-2000:]}")
        try:
            with smtplib.SMTP(self.host, self.port, timeout=10) as client:
                return client.noop()[0] == 250
        except OSError:  # smtplib.SMTPException is one too
            return False

    def _write_routes(self) -> None:
        lines = [f"{domain} {next_hop}\n" for domain, next_hop in self._routes.items()]
        _write(self.folder / "etc/transport", "".join(lines))

    def _setting(self, name: str) -> str:
        command = [str(require_program("postconf")), "-c", str(self.folder / "etc"), "-h", name]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@contextmanager
def running_postfix(mailbox_domains: Sequence[str] = ("example.net", "example.com")) -> Iterator[Postfix]:
    """Configure an instance, run it, remove it. Skips the test without Postfix or without root."""
    require_program("postfix")
    require_root()
    with server_folder("postfix") as folder:
        server = Postfix(folder, free_port())
        _configure(server, mailbox_domains)
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _configure(server: Postfix, mailbox_domains: Sequence[str]) -> None:
    folder, mailbox_user = server.folder, pwd.getpwnam(_MAILBOX_USER)
    for name, owner in {"etc": "root", "queue": "root", "data": "postfix", "mail": _MAILBOX_USER}.items():
        (folder / name).mkdir(mode=0o755)
        os.chown(folder / name, pwd.getpwnam(owner).pw_uid, -1)
    # As `postfix check` would make them.
    for name in _QUEUE:
        (folder / "queue" / name).mkdir(mode=0o755)
        os.chown(folder / "queue" / name, pwd.getpwnam("root" if name == "pid" else "postfix").pw_uid, -1)
    values = {"folder": folder, "host": HOST, "port": server.port}
    main = _MAIN.format(uid=mailbox_user.pw_uid, gid=mailbox_user.pw_gid, **values)
    _write(folder / "etc/main.cf", main)
    _write(folder / "etc/master.cf", _MASTER.format(**values))
    _write(folder / "etc/mailbox_domains", "".join(f"{domain} here\n" for domain in mailbox_domains))
    _write(folder / "etc/transport", "")


def _write(file: Path, text: str) -> None:
    """Write a file that looks old: Postfix waits two seconds for one that was changed just now."""
    new = file.with_suffix(".new")
    new.write_text(text)
    os.utime(new, (0, 0))
    new.replace(file)
