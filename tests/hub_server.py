"""A small server that speaks the hub's API as huggingface_hub and its files' servers do, with faults on demand.

Two ports, as in life: the hub answers listings, small files, and redirects for large ones; another server has the large files.
"""

from __future__ import annotations

import hashlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "c0ffee" + 34 * "0"
LARGE = (".safetensors", ".bin", ".ckpt", ".gguf")
PIECE_BYTES = 1 << 16


@dataclass
class Repository:
    """A repository at one commit. `gated`: its files, not its listing, are for accounts in `allowed`."""

    files: dict[str, bytes]
    commit: str = COMMIT
    licence: str | None = "apache-2.0"
    gated: bool = False
    allowed: frozenset[str] = frozenset()
    hidden: bool = False  # 401 to everybody, as for a repository that does not exist or is private


@dataclass(frozen=True)
class Request:
    """What was asked: `place` is "hub" or "files"."""

    place: str
    method: str
    path: str
    first_byte: int
    authorization: str | None


@dataclass
class Faults:
    """What goes wrong, by path in the repository or by digest of a large file; a number counts down with each request."""

    cut_after: dict[str, list[int]] = field(
        default_factory=dict
    )  # bytes sent, request by request, before the line breaks
    wrong: dict[str, int] = field(default_factory=dict)  # how many answers hold other bytes of the same length
    status: dict[str, tuple[int, int]] = field(default_factory=dict)  # (status, how many times); of "listing" too
    ignore_ranges: bool = False
    page: bytes | None = None  # instead of any answer: what a hotel's network says
    before_body: Callable[[str], None] = lambda _: None


class HubServer:
    """The server, at `endpoint` until `stop`."""

    def __init__(self, repositories: Mapping[str, Repository]) -> None:
        self.repositories = dict(repositories)
        self.faults = Faults()
        self.requests: list[Request] = []
        self._servers = [self._serve("hub"), self._serve("files")]
        self.endpoint, self.files_endpoint = (f"http://127.0.0.1:{server.server_port}" for server in self._servers)

    def stop(self) -> None:
        """Be gone: the ports are closed."""
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self._servers = []

    def asked(self, place: str = "files") -> list[Request]:
        """The requests for bytes of files."""
        return [request for request in self.requests if request.place == place]

    def digest(self, repository: str, path: str) -> str:
        """How the hub names a file's bytes."""
        return digest_of(path, self.repositories[repository].files[path])

    def _serve(self, place: str) -> ThreadingHTTPServer:
        hub = self

        class Handler(_Handler):
            def do_GET(self) -> None:
                self.answer(hub, place)

            def do_HEAD(self) -> None:
                self.answer(hub, place)

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return server


def digest_of(path: str, data: bytes) -> str:
    """SHA-256 of a large file, git's SHA-1 of a small one."""
    if path.endswith(LARGE):
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def safetensors(size_bytes: int, seed: int = 0) -> bytes:
    """A valid file of one tensor, about `size_bytes` long, no two alike."""
    count = max(size_bytes // 4, 1)
    header = json.dumps({"weight": {"dtype": "F32", "shape": [count], "data_offsets": [0, 4 * count]}}).encode()
    block = hashlib.sha256(str(seed).encode()).digest() * (1 << 12)
    data = (block * (4 * count // len(block) + 1))[: 4 * count]
    return struct.pack("<Q", len(header)) + header + data


def directory_files(directory: Path) -> dict[str, bytes]:
    """A checkpoint's directory as the files of a repository."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def _tree_entry(path: str, data: bytes) -> dict[str, Any]:
    entry = {
        "type": "file",
        "path": path,
        "size": len(data),
        "oid": hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest(),
    }
    large = {"oid": digest_of(path, data), "size": len(data), "pointerSize": 134}
    return entry | ({"lfs": large} if path.endswith(LARGE) else {})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: Any) -> None:
        """Keep the tests' output clean."""

    def answer(self, hub: HubServer, place: str) -> None:
        address = urlsplit(self.path)
        path = unquote(address.path)
        asked_range = self.headers.get("Range", "bytes=0-")
        first = int(asked_range.removeprefix("bytes=").partition("-")[0])
        hub.requests.append(Request(place, self.command, path, first, self.headers.get("Authorization")))
        if hub.faults.page is not None:
            self._send(200, hub.faults.page, {"Content-Type": "text/html"})
        elif place == "files":
            self._send_file(hub, path.removeprefix("/"), first)
        elif path.startswith("/api/models/"):
            self._send_listing(hub, path.removeprefix("/api/models/"), parse_qs(address.query))
        else:
            self._resolve(hub, path, first)

    def _send_listing(self, hub: HubServer, name: str, query: Mapping[str, list[str]]) -> None:
        name, tree, revision = name.partition("/tree/")
        name, _, revision = (name, "", revision) if tree else name.partition("/revision/")
        repository = self._repository(hub, name, revision or "main")
        if repository is None or self._refused(hub, "listing"):
            return
        if tree:  # what huggingface_hub's own snapshot_download asks for
            entries = [_tree_entry(path, data) for path, data in repository.files.items()]
            self._send(200, json.dumps(entries).encode(), {"Content-Type": "application/json"})
            return
        siblings = []
        for path, data in repository.files.items():
            sibling: dict[str, Any] = {"rfilename": path}
            if "blobs" in query:
                sibling |= {"size": len(data), "blobId": hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()}
                if path.endswith(LARGE):
                    sibling["lfs"] = {"size": len(data), "sha256": digest_of(path, data), "pointerSize": 134}
            siblings.append(sibling)
        card = {"license": repository.licence} if repository.licence else {}
        gated = "manual" if repository.gated else False
        document = {"id": name, "sha": repository.commit, "siblings": siblings, "cardData": card, "gated": gated}
        self._send(200, json.dumps(document).encode(), {"Content-Type": "application/json"})

    def _resolve(self, hub: HubServer, path: str, first: int) -> None:
        name, _, rest = path.removeprefix("/").partition("/resolve/")
        revision, _, file = rest.partition("/")
        repository = self._repository(hub, name, revision)
        if repository is None:
            return
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if repository.gated and token not in repository.allowed:
            self._refuse(403 if token else 401, "GatedRepo", f"Access to model {name} is restricted.")
            return
        if file not in repository.files:
            self._refuse(404, "EntryNotFound", "Entry not found")
            return
        data = repository.files[file]
        digest = digest_of(file, data)
        head = {"ETag": f'"{digest}"', "X-Repo-Commit": repository.commit}
        if file.endswith(LARGE):
            head |= {"X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(len(data))}
            self._send(302, b"", {**head, "Location": f"{hub.files_endpoint}/{digest}"})
        elif not self._refused(hub, file):
            self._send_bytes(hub, file, data, first, head)

    def _send_file(self, hub: HubServer, digest: str, first: int) -> None:
        for repository in hub.repositories.values():
            for path, data in repository.files.items():
                if digest_of(path, data) == digest and not self._refused(hub, path):
                    self._send_bytes(hub, path, data, first, {"ETag": f'"{digest}"'})
                    return

    def _send_bytes(self, hub: HubServer, path: str, data: bytes, first: int, head: Mapping[str, str]) -> None:
        faults = hub.faults
        if faults.wrong.get(path, 0) > 0:
            faults.wrong[path] -= 1
            data = data[:-1] + bytes([data[-1] ^ 1])
        if faults.ignore_ranges:
            first = 0
        if first > len(data) or (first == len(data) and first):
            self._send(416, b"", {"Content-Range": f"bytes */{len(data)}"})
            return
        ranged = {"Content-Range": f"bytes {first}-{len(data) - 1}/{len(data)}"} if first else {}
        self.send_response(206 if first else 200)
        for name, value in {**head, **ranged, "Content-Length": str(len(data) - first)}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        cuts = faults.cut_after.get(path)
        end = first + cuts.pop(0) if cuts else len(data)
        faults.before_body(path)
        try:
            for start in range(first, min(end, len(data)), PIECE_BYTES):
                self.wfile.write(data[start : min(start + PIECE_BYTES, end)])
        except OSError:
            self.close_connection = True
        if end < len(data):
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def _repository(self, hub: HubServer, name: str, revision: str) -> Repository | None:
        """The repository at that revision, or None when it was refused."""
        repository = hub.repositories.get(name)
        if repository is None or repository.hidden:
            token = self.headers.get("Authorization")
            self._refuse(404 if token else 401, "RepoNotFound" if token else None, "Repository not found")
        elif revision not in ("main", repository.commit):
            self._refuse(404, "RevisionNotFound", "Invalid rev id")
        else:
            return repository
        return None

    def _refused(self, hub: HubServer, what: str) -> bool:
        status, times = hub.faults.status.get(what, (0, 0))
        if times:
            hub.faults.status[what] = (status, times - 1)
            self._refuse(status, None, "so the test wants it")
        return bool(times)

    def _refuse(self, status: int, code: str | None, message: str) -> None:
        head = {"X-Error-Message": message, **({"X-Error-Code": code} if code else {})}
        self._send(status, json.dumps({"error": message}).encode(), head)

    def _send(self, status: int, body: bytes, head: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**head, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
