"""Makes a small genuine PEP 458 repository with python-tuf alone, and broken twins of its root: the peers' own test.

    make_repo.py --out DIR

    DIR/online.pem           throwaway online private key: timestamp, snapshot and the bins
    DIR/genesis/metadata     1.root, 1.targets, 1.bins
    DIR/rotated/metadata     the same and 2.root, which replaces a root key and is signed by both thresholds
    DIR/<flaw>/metadata      genesis with a flawed 1.root or 2.root; see FLAWS below
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from securesystemslib.formats import encode_canonical
from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.metadata import DelegatedRole, Delegations, Metadata, Role, Root, SuccinctRoles, Targets
from tuf.api.serialization.json import JSONSerializer

NOW = datetime.now(timezone.utc).replace(microsecond=0)
NEXT_YEAR = NOW + timedelta(days=365)


class Keys:
    """Every private key of the play."""

    def __init__(self) -> None:
        self.root = [CryptoSigner.generate_ecdsa(), CryptoSigner.generate_ecdsa(), CryptoSigner.generate_ed25519()]
        self.newcomers = [CryptoSigner.generate_ecdsa(), CryptoSigner.generate_ecdsa()]
        self.targets = [CryptoSigner.generate_ecdsa(), CryptoSigner.generate_ecdsa()]
        self.bins = [CryptoSigner.generate_ecdsa(), CryptoSigner.generate_ecdsa()]
        self.online = CryptoSigner.generate_ed25519()
        self.p384 = signer_of(ec.generate_private_key(ec.SECP384R1()))


def signer_of(private: ec.EllipticCurvePrivateKey, **extra: str) -> CryptoSigner:
    """A signer whose keyid is the digest of the whole key object, as the TUF specification (4.2) wants it."""
    public = SSlibKey.from_crypto(private.public_key())
    public.unrecognized_fields.update(extra)
    public.keyid = hashlib.sha256(encode_canonical(public.to_dict()).encode()).hexdigest()
    return CryptoSigner(private, public)


def root_v1(keys: Keys, signers: list[CryptoSigner]) -> Root:
    """A root that needs two of `signers`."""
    every = [*signers, *keys.targets, keys.online]
    roles = {
        "root": Role([signer.public_key.keyid for signer in signers], 2),
        "targets": Role([signer.public_key.keyid for signer in keys.targets], 2),
        "snapshot": Role([keys.online.public_key.keyid], 1),
        "timestamp": Role([keys.online.public_key.keyid], 1),
    }
    public = {signer.public_key.keyid: signer.public_key for signer in every}
    return Root(version=1, spec_version="1.0.31", expires=NEXT_YEAR, keys=public, roles=roles, consistent_snapshot=True)


def successor(root: Root, version: int = 2) -> Root:
    """A copy to change and sign as a later version."""
    later = copy.deepcopy(root)
    later.version = version
    return later


def delegate(role: DelegatedRole, signers: list[CryptoSigner]) -> Delegations:
    return Delegations({signer.public_key.keyid: signer.public_key for signer in signers}, {role.name: role})


def targets_tree(keys: Keys) -> tuple[Targets, Targets]:
    """PEP 458's offline part: targets hands everything to bins, bins to 16,384 online bins."""
    bins_keyids = [signer.public_key.keyid for signer in keys.bins]
    everything = DelegatedRole("bins", bins_keyids, 2, terminating=False, path_hash_prefixes=list("0123456789abcdef"))
    targets = Targets(1, "1.0.31", NEXT_YEAR, delegations=delegate(everything, keys.bins))
    online = keys.online.public_key
    succinct = SuccinctRoles([online.keyid], 1, 14, "bin")
    bins = Targets(1, "1.0.31", NEXT_YEAR, delegations=Delegations({online.keyid: online}, succinct_roles=succinct))
    return targets, bins


def write(folder: Path, role: str, signed: Root | Targets, signers: list[CryptoSigner], name: int | None = None) -> None:
    """Signs with all `signers` and writes N.ROLE.json; `name` is another N than the version, for a flaw."""
    metadata = Metadata(signed)
    for signer in signers:
        metadata.sign(signer, append=True)
    (folder / "metadata").mkdir(parents=True, exist_ok=True)
    file = folder / "metadata" / f"{name or signed.version}.{role}.json"
    metadata.to_file(str(file), JSONSerializer(compact=False))


def one_key_under_two_keyids(folder: Path, keys: Keys) -> None:
    """Two proper keyids, one private key: an extra field makes the second. Its two signatures must count once."""
    private = ec.generate_private_key(ec.SECP256R1())
    twins = [signer_of(private), signer_of(private, **{"x-note": "same key"})]
    write(folder, "root", root_v1(keys, [*twins, keys.root[2]]), twins)


def expired_root(folder: Path, keys: Keys) -> None:
    """A good chain whose newest root expired yesterday."""
    second = successor(root_v1(keys, keys.root))
    second.expires = NOW - timedelta(days=1)
    write(folder, "root", second, keys.root)


def p384_signature_needed(folder: Path, keys: Keys) -> None:
    """Threshold two, reached only with a P-384 signature."""
    signers = [keys.p384, keys.root[2]]
    write(folder, "root", root_v1(keys, signers), signers)


def p384_key_idle(folder: Path, keys: Keys) -> None:
    """A P-384 key listed, but both signatures needed are others'."""
    write(folder, "root", root_v1(keys, [keys.p384, *keys.root[:2]]), keys.root[:2])


def signed_by_removed_key(folder: Path, keys: Keys) -> None:
    """v2 replaces two keys and is signed by the old ones alone."""
    second = root_v1(keys, [keys.root[0], *keys.newcomers])
    second.version = 2
    write(folder, "root", second, keys.root)


def version_skipped(folder: Path, keys: Keys) -> None:
    """2.root.json says version 3."""
    write(folder, "root", successor(root_v1(keys, keys.root), version=3), keys.root, name=2)


FLAWS = [
    one_key_under_two_keyids,
    expired_root,
    p384_signature_needed,
    p384_key_idle,
    signed_by_removed_key,
    version_skipped,
]


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes a small genuine PEP 458 repository and broken twins of its root")
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    keys = Keys()
    (out / "online.pem").write_bytes(
        keys.online._private_key.private_bytes(  # noqa: SLF001  a throwaway key, for publish.py
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
    )
    first = root_v1(keys, keys.root)
    targets, bins = targets_tree(keys)
    genesis = out / "genesis"
    write(genesis, "root", first, keys.root)
    write(genesis, "targets", targets, keys.targets)
    write(genesis, "bins", bins, keys.bins)

    rotated = out / "rotated"
    shutil.copytree(genesis, rotated)
    second = successor(first)
    second.revoke_key(keys.root[0].public_key.keyid, "root")
    second.add_key(keys.newcomers[0].public_key, "root")
    write(rotated, "root", second, [*keys.root[:2], keys.newcomers[0]])

    for flaw in FLAWS:
        folder = out / flaw.__name__.replace("_", "-")
        shutil.copytree(genesis, folder)
        flaw(folder, keys)


if __name__ == "__main__":
    main()
