"""A small test publisher: plays PyPI's online side after a ceremony, with python-tuf and a throwaway online key.

    publish.py --bundle DIR --key ONLINE.pem [--key ...] --out DIR [--target PATH=FILE ...] [--all-bins] [--at UTC] [--days N]

Lays the bundle's metadata/ over what DIR already publishes, then signs anew what the online keys own: the bins that
hold the targets named (of 16,384; --all-bins makes every one, in about ten seconds), the snapshot and the timestamp.
Called once for each publishing step with the same --out, it gives clients the steps as they would see them. Consistent
snapshots only.

Prints one JSON object: the published versions by role.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from securesystemslib.signer import CryptoSigner, Key
from tuf.api.metadata import (
    Metadata,
    MetaFile,
    Root,
    Signed,
    Snapshot,
    SuccinctRoles,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization.json import JSONSerializer


class Repository:
    """What is published in a folder: metadata/ and targets/."""

    def __init__(self, out: Path, private_keys: list, expires: datetime) -> None:
        self.metadata = out / "metadata"
        self.targets = out / "targets"
        self.metadata.mkdir(parents=True, exist_ok=True)
        self.targets.mkdir(parents=True, exist_ok=True)
        self.private_keys = {spki(key.public_key()): key for key in private_keys}
        self.expires = expires
        self.versions: dict[str, int] = {}

    def lay(self, metadata: Path) -> None:
        """Publishes offline metadata as it is, byte for byte."""
        for file in metadata.glob("*.json"):
            shutil.copyfile(file, self.metadata / file.name)
        for file in self.metadata.glob("[0-9]*.*.json"):
            version, role, _ = file.name.split(".")
            self.versions[role] = max(int(version), self.versions.get(role, 0))

    def newest(self, role: str) -> Metadata | None:
        """The published metadata of the highest version, None when the role was never published."""
        version = self.versions.get(role)
        return Metadata.from_file(str(self.metadata / f"{version}.{role}.json")) if version else None

    def offline(self, role: str) -> Metadata:
        """Metadata that only a ceremony can make."""
        found = self.newest(role)
        if found is None:
            raise SystemExit(f"The bundle holds no N.{role}.json; a client needs it.")
        return found

    def issue(self, role: str, signed: Signed, keys: list[Key]) -> None:
        """Signs the next version with every online key of the role that we hold, and writes it."""
        signed.expires = self.expires
        metadata = Metadata(signed)
        owned = [(key, self.private_keys[spki(public_key(key))]) for key in keys if spki(public_key(key)) in self.private_keys]
        if not owned:
            raise SystemExit(f"None of the given online keys may sign {role}; its keys are {[key.keyid for key in keys]}.")
        for key, private in owned:
            metadata.sign(CryptoSigner(private, key), append=True)
        name = f"{role}.json" if role == "timestamp" else f"{signed.version}.{role}.json"
        metadata.to_file(str(self.metadata / name), JSONSerializer(compact=False))
        self.versions[role] = signed.version


def public_key(key: Key) -> object:
    """The key of the metadata as a public key object; by its bytes, because keyids are only names."""
    value = key.keyval["public"]
    if key.keytype == "ed25519":
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(value))
    return load_pem_public_key(value.encode())


def spki(public: object) -> bytes:
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def publish_bins(repository: Repository, bins: Targets, targets: dict[str, Path], every: bool) -> set[str]:
    """Issues the bins that are published or that hold a target; gives the names of all published bins."""
    if bins.delegations is None or bins.delegations.succinct_roles is None:
        raise SystemExit("bins delegates to no succinct roles (TAP 15).")
    succinct: SuccinctRoles = bins.delegations.succinct_roles
    names = {name for name in repository.versions if succinct.is_delegated_role(name)}
    names |= {succinct.get_role_for_target(path) for path in targets}
    if every:
        names |= set(succinct.get_roles())
    keys = [bins.delegations.keys[keyid] for keyid in succinct.keyids]
    for name in sorted(names):
        before = repository.newest(name)
        signed = before.signed if before else Targets()
        signed.version = repository.versions.get(name, 0) + 1
        for path, file in targets.items():
            if succinct.get_role_for_target(path) == name:
                signed.targets[path] = place(repository, path, file)
        repository.issue(name, signed, keys)
    return names


def place(repository: Repository, path: str, file: Path) -> TargetFile:
    """Copies a target file to its hash-prefixed place."""
    target = TargetFile.from_file(path, str(file), ["sha256"])
    folder, _, name = path.rpartition("/")
    place = repository.targets / folder / f"{target.hashes['sha256']}.{name}"
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, place)
    return target


def publish(arguments: argparse.Namespace) -> dict[str, int]:
    """One publishing step; gives the published version of each role."""
    private_keys = [load_pem_private_key(file.read_bytes(), None) for file in arguments.key]
    repository = Repository(arguments.out, private_keys, arguments.at + timedelta(days=arguments.days))
    repository.lay(arguments.bundle / "metadata")
    root: Root = repository.offline("root").signed
    repository.offline("targets")
    if not root.consistent_snapshot:
        raise SystemExit("The root says consistent_snapshot false; this publisher writes consistent snapshots only.")
    names = publish_bins(repository, repository.offline("bins").signed, dict(arguments.target), arguments.all_bins)

    versions = {role: repository.versions[role] for role in ["root", "targets", "bins", *sorted(names)]}
    versions["snapshot"] = repository.versions.get("snapshot", 0) + 1
    meta = {f"{role}.json": MetaFile(version) for role, version in versions.items() if role not in {"root", "snapshot"}}
    repository.issue("snapshot", Snapshot(versions["snapshot"], meta=meta), keys_of(root, "snapshot"))

    published = repository.metadata / "timestamp.json"
    versions["timestamp"] = Metadata.from_file(str(published)).signed.version + 1 if published.exists() else 1
    timestamp = Timestamp(versions["timestamp"], snapshot_meta=MetaFile(versions["snapshot"]))
    repository.issue("timestamp", timestamp, keys_of(root, "timestamp"))
    return versions


def keys_of(root: Root, role: str) -> list[Key]:
    return [root.keys[keyid] for keyid in root.roles[role].keyids]


def utc(text: str) -> datetime:
    """A UTC time as `2026-11-22T00:00:00Z`."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def path_and_file(text: str) -> tuple[str, Path]:
    path, _, file = text.partition("=")
    return path, Path(file)


def main() -> None:
    parser = argparse.ArgumentParser(description="Plays PyPI's online side after a ceremony; tests only")
    parser.add_argument("--bundle", type=Path, required=True, help="folder that holds metadata/")
    parser.add_argument("--key", type=Path, required=True, action="append", help="PEM of a throwaway online private key")
    parser.add_argument("--out", type=Path, required=True, help="published repository, kept between steps")
    parser.add_argument("--target", type=path_and_file, action="append", default=[], metavar="PATH=FILE")
    parser.add_argument("--all-bins", action="store_true", help="issue every bin, not only those needed")
    parser.add_argument("--at", type=utc, default=datetime.now(timezone.utc).replace(microsecond=0))
    parser.add_argument("--days", type=int, default=1, help="validity of what the online keys sign")
    json.dump(publish(parser.parse_args()), sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
