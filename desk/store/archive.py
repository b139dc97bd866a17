"""The file of a backup: a tar, zstd-compressed when it is named so, with the sha256 of every member at its end.

Reading takes regular files with plain relative names only, whatever else a tar could hold.
Standards: POSIX.1-2001 pax; RFC 8878 (zstd).
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

import msgspec
import zstandard

from desk.errors import Invalid

MANIFEST = "MANIFEST.json"
FORMAT = 1
_MAGIC = b"\x28\xb5\x2f\xfd"
_CHUNK = 1024 * 1024
_MOST_MANIFEST = 64 * 1024 * 1024
_LEVEL = 3


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds: `files` are sha256 (hex) by name, `database` the name of the store among them."""

    format: int
    made: str
    database: str
    events: int
    seq: int
    head: str
    files: dict[str, str]


class ArchiveWriter:
    """Adds members one after another and remembers their sums."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.files: dict[str, str] = {}

    def add(self, name: str, content: IO[bytes], size: int, *, mode: int = 0o600, mtime: float = 0) -> None:
        """Add a regular file of exactly `size` bytes."""
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.mtime = size, mode & 0o777, int(mtime)
        summing = _Summing(content)
        self._tar.addfile(member, cast("IO[bytes]", summing))
        self.files[name] = summing.sum.hexdigest()

    def close(self, manifest: Manifest) -> None:
        """Add the manifest, which comes last."""
        content = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
        self.add(MANIFEST, io.BytesIO(content), len(content))


class _Summing:
    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self.sum = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self.sum.update(data)
        return data


@contextmanager
def writing(file: BinaryIO, *, is_compressed: bool) -> Iterator[ArchiveWriter]:
    """Write an archive into an open file."""
    if not is_compressed:
        with tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT) as tar:
            yield ArchiveWriter(tar)
        return
    with (
        zstandard.ZstdCompressor(_LEVEL).stream_writer(file, closefd=False) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        yield ArchiveWriter(tar)


def read(file: Path, folder: Path | None) -> Manifest:
    """Read all of an archive into an empty folder, or (None) only check it.

    Raises:
        Invalid: it is no backup, not a whole one, or a member is not what the manifest says.
    """
    sums: dict[str, str] = {}
    manifest: Manifest | None = None
    try:
        with file.open("rb") as raw, _opened(raw) as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isreg() else None
                if content is None:
                    raise Invalid(
                        f"{file}: {member.name!r} is no regular file; this is not a backup of a desk"
                    )
                if member.name == MANIFEST:
                    manifest = msgspec.json.decode(content.read(_MOST_MANIFEST), type=Manifest)
                elif member.name in sums or not _is_plain(member.name):
                    raise Invalid(f"{file}: the name {member.name!r} is not accepted; do not trust this file")
                else:
                    sums[member.name] = _take(content, folder, member)
    except (tarfile.TarError, zstandard.ZstdError, msgspec.MsgspecError, EOFError, UnicodeError) as error:
        raise Invalid(f"{file} is not a whole backup of a desk ({error}); take another one") from error
    return _checked(file, manifest, sums)


def _checked(file: Path, manifest: Manifest | None, sums: dict[str, str]) -> Manifest:
    if manifest is None:
        raise Invalid(f"{file} is not a whole backup of a desk (its end is missing); take another one")
    if manifest.format != FORMAT:
        raise Invalid(f"{file} was made by a newer version (format {manifest.format}); upgrade this program")
    for name in sorted(manifest.files.keys() | sums.keys()):
        if manifest.files.get(name) != sums.get(name):
            raise Invalid(f"{file} is damaged: {name} is not what was saved; take another one")
    if manifest.database not in sums:
        raise Invalid(f"{file} holds no store; take another one")
    return manifest


@contextmanager
def _opened(raw: BinaryIO) -> Iterator[tarfile.TarFile]:
    is_compressed = raw.read(4) == _MAGIC
    raw.seek(0)
    if not is_compressed:
        with tarfile.open(fileobj=raw, mode="r|") as tar:
            yield tar
        return
    with zstandard.ZstdDecompressor().stream_reader(raw, closefd=False) as unpacked:
        with tarfile.open(fileobj=unpacked, mode="r|") as tar:
            yield tar
        while unpacked.read(_CHUNK):  # to the end, where its checks are
            pass


def _is_plain(name: str) -> bool:
    """Relative, inside the folder, and spelled in the one way."""
    path = PurePosixPath(name)
    return (
        bool(path.parts)
        and not path.is_absolute()
        and ".." not in path.parts
        and str(path) == name
        and "\0" not in name
    )


def _take(content: IO[bytes], folder: Path | None, member: tarfile.TarInfo) -> str:
    """Read a member, into its place below the folder if there is one; its sha256."""
    if folder is None:
        return _copy(content, None, member.size)
    place = folder / member.name
    place.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(place, flags, 0o600), "wb") as target:
        found = _copy(content, target, member.size)
        os.fchmod(target.fileno(), (member.mode & 0o755) | 0o600)
        target.flush()
        os.fsync(target.fileno())
    return found


def _copy(content: IO[bytes], target: BinaryIO | None, size: int) -> str:
    found, left = hashlib.sha256(), size
    while left and (data := content.read(min(left, _CHUNK))):
        found.update(data)
        left -= len(data)
        if target is not None:
            target.write(data)
    return found.hexdigest()
