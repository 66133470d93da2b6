"""The digests of what was fetched, computed again from the disk."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from stages.pipeline.fetching.records import RepositoryFile
from stages.pipeline.fetching.repository import CachedRepository
from stages.pipeline.fetching.transfer import digest_of


@dataclass(frozen=True)
class Fault:
    """A file that is not what was fetched, and what is the matter with it."""

    path: str
    what: str


def files_of(repository: CachedRepository, revision: str | None) -> tuple[RepositoryFile, ...]:
    """The files to check: those of the record; without one, those of the snapshot, whose blobs are named by their digests."""
    record = repository.record(revision)
    if record:
        return record.files
    commit = repository.commit_of(revision)
    return tuple(_linked(repository, commit)) if commit else ()


def faults_of(
    repository: CachedRepository, files: tuple[RepositoryFile, ...], read: Callable[[int], None]
) -> Iterator[Fault]:
    """Check each file; `read` is told bytes as they are read. What is damaged is moved aside, so that nothing loads it."""
    never = threading.Event()
    for file in files:
        blob = repository.blob(file)
        try:
            if digest_of(blob, file, read, never) == file.digest:
                continue
        except FileNotFoundError:
            yield Fault(file.path, "is missing")
            continue
        except OSError as error:
            yield Fault(file.path, f"cannot be read: {error.strerror}")
            continue
        what = "does not have its digest"
        with contextlib.suppress(OSError):  # somebody else's cache: it is said, and left
            blob.replace(repository.damaged(file))
            what += " and was moved aside"
        yield Fault(file.path, what)


def _linked(repository: CachedRepository, commit: str) -> Iterator[RepositoryFile]:
    """The files of a snapshot that another program fetched."""
    snapshot = repository.snapshot(commit)
    for path in sorted(snapshot.rglob("*")):
        with contextlib.suppress(OSError, ValidationError):
            digest = path.readlink().name
            if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", digest):
                size_bytes = path.stat().st_size if path.exists() else 0
                yield RepositoryFile(path=path.relative_to(snapshot).as_posix(), size_bytes=size_bytes, digest=digest)
