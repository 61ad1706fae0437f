"""What python-tuf says about a repository in a folder, as one JSON object. Reads files only; `sitting` serves them to itself over HTTP.

    python_client.py client --root 1.root.json --cache DIR --metadata DIR [--targets DIR --target PATH] [--at UTC]
    python_client.py sitting --root 1.root.json --cache DIR --published DIR --target PATH [--target PATH ...] [--largest BYTES]
    python_client.py root-chain --root 1.root.json --metadata DIR
    python_client.py parse FILE

`client` keeps its cache: call it again after each publishing step to play a client that was there all along.
`sitting` is what an installer does: one client looks up one path after the other, and fetches what it finds, from a web
server on this machine. Every answer stands in `lookups`; a path that nobody answers for is an answer.
`root-chain` follows N.root.json as far as python-tuf accepts it, whatever has expired.
"""

from __future__ import annotations

import argparse
import hashlib
import threading
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from report import Report
from tuf.api.exceptions import DownloadHTTPError
from tuf.api.metadata import Metadata
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig
from tuf.ngclient._internal.trusted_metadata_set import TrustedMetadataSet
from tuf.ngclient.config import EnvelopeType


class FolderFetcher(FetcherInterface):
    """Serves file:// addresses from the disk; an absent file is what a web server says about it: 404."""

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = Path(unquote(urlsplit(url).path))
        if not path.is_file():
            raise DownloadHTTPError(f"{path.name} is not published", 404)
        return iter([path.read_bytes()])


def client(arguments: argparse.Namespace, report: Report) -> None:
    """Refreshes the kept cache, then fetches the target if one is asked for."""
    arguments.cache.mkdir(parents=True, exist_ok=True)
    updater = Updater(
        metadata_dir=str(arguments.cache),
        metadata_base_url=arguments.metadata.resolve().as_uri(),
        fetcher=FolderFetcher(),
        bootstrap=arguments.root.read_bytes(),
    )
    trusted = updater._trusted_set  # noqa: SLF001  the reference time has no public setter
    if arguments.at:
        trusted.reference_time = arguments.at
    try:
        updater.refresh()
        if arguments.target:
            report.target_sha256 = fetch(updater, arguments)
    finally:
        report.root_version = trusted.root.version


def fetch(updater: Updater, arguments: argparse.Namespace) -> str:
    """The SHA-256 of the target file as the client downloaded it."""
    found = updater.get_targetinfo(arguments.target)
    if found is None:
        raise LookupError("no such target")
    copy = arguments.cache / "downloaded"
    updater.download_target(found, str(copy), arguments.targets.resolve().as_uri())
    return hashlib.sha256(copy.read_bytes()).hexdigest()


class Quiet(SimpleHTTPRequestHandler):
    """A web server that tells nobody what it was asked."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass


def sitting(arguments: argparse.Namespace, report: Report) -> None:
    """Looks up every path with one client."""
    arguments.cache.mkdir(parents=True, exist_ok=True)
    handler = partial(Quiet, directory=str(arguments.published))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        # A client that has read enough hangs up.
        server.handle_error = lambda *_: None
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        updater = Updater(
            metadata_dir=str(arguments.cache),
            metadata_base_url=f"{address}/metadata",
            bootstrap=arguments.root.read_bytes(),
            config=UpdaterConfig(targets_max_length=arguments.largest),
        )
        trusted = updater._trusted_set  # noqa: SLF001  the root has no public getter
        try:
            updater.refresh()
            report.lookups = [lookup(updater, path, arguments.cache, f"{address}/targets") for path in arguments.target]
        finally:
            report.root_version = trusted.root.version
            server.shutdown()


def lookup(updater: Updater, path: str, cache: Path, targets: str) -> dict[str, str | None]:
    """What the client says about one path: the SHA-256 of the file that it fetched, or nothing, or why not."""
    copy = cache / "downloaded"
    try:
        found = updater.get_targetinfo(path)
        if found is None:
            return {"path": path, "sha256": None, "error": None}
        updater.download_target(found, str(copy), targets)
    except Exception as failure:  # noqa: BLE001  every refusal is an answer
        return {"path": path, "sha256": None, "error": f"{type(failure).__name__}: {failure}"}
    return {"path": path, "sha256": hashlib.sha256(copy.read_bytes()).hexdigest(), "error": None}


def root_chain(arguments: argparse.Namespace, report: Report) -> None:
    """Follows the chain of roots file by file."""
    trusted = TrustedMetadataSet(arguments.root.read_bytes(), EnvelopeType.METADATA)
    report.root_version = trusted.root.version
    while (file := arguments.metadata / f"{trusted.root.version + 1}.root.json").is_file():
        trusted.update_root(file.read_bytes())
        report.root_version = trusted.root.version


def parse(arguments: argparse.Namespace, report: Report) -> None:
    """Parses one metadata file; its type is read from `_type`."""
    signed = Metadata.from_file(str(arguments.file)).signed
    report.root_version = signed.version if signed.type == "root" else None


def utc(text: str) -> datetime:
    """A UTC time as `2026-11-22T00:00:00Z`."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def main() -> None:
    parser = argparse.ArgumentParser(description="What python-tuf says about a TUF repository in a folder")
    modes = parser.add_subparsers(required=True)
    one = modes.add_parser("client")
    one.add_argument("--root", type=Path, required=True)
    one.add_argument("--cache", type=Path, required=True)
    one.add_argument("--metadata", type=Path, required=True)
    one.add_argument("--targets", type=Path)
    one.add_argument("--target")
    one.add_argument("--at", type=utc)
    one.set_defaults(ask=client)
    sit = modes.add_parser("sitting")
    sit.add_argument("--root", type=Path, required=True)
    sit.add_argument("--cache", type=Path, required=True)
    sit.add_argument("--published", type=Path, required=True)
    sit.add_argument("--target", action="append", required=True)
    sit.add_argument("--largest", type=int, default=UpdaterConfig().targets_max_length)
    sit.set_defaults(ask=sitting)
    two = modes.add_parser("root-chain")
    two.add_argument("--root", type=Path, required=True)
    two.add_argument("--metadata", type=Path, required=True)
    two.set_defaults(ask=root_chain)
    three = modes.add_parser("parse")
    three.add_argument("file", type=Path)
    three.set_defaults(ask=parse)
    arguments = parser.parse_args()
    Report().run(lambda report: arguments.ask(arguments, report))


if __name__ == "__main__":
    main()
