"""Writes probes: small signed files, each with one oddity, to hold what clients really say against what is predicted.

    make.py --out DIR

    DIR/root/NAME.json      a root, signed by its own root role; judged by loading it as the trusted root
    DIR/targets/NAME.json   targets, judged by reading them
    DIR/served/NAME/        a repository (metadata/) whose targets have the oddity; judged by a whole refresh
    DIR/fetched/NAME/       a plain metadata/1.root.json and an odd metadata/2.root.json; judged by a root update

Keys are derived from fixed seeds, except RSA and ML-DSA, whose libraries offer none here; no verdict hangs on them.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from securesystemslib.formats import encode_canonical

Sign = Callable[[bytes], bytes]
EXPIRES = "2036-01-01T00:00:00Z"
TOP_LEVEL = ["root", "timestamp", "snapshot", "targets"]


class Key:
    """A key object, its keyid, and how it signs."""

    def __init__(self, keytype: str, scheme: str, public: str, sign: Sign, **fields: object) -> None:
        self.object = {"keytype": keytype, "scheme": scheme, "keyval": {"public": public}, **fields}
        self.keyid = hashlib.sha256(encode_canonical(self.object).encode()).hexdigest()
        self.sign = sign

    def under(self, keyid: str) -> Key:
        """The same key with another keyid."""
        twin = copy.copy(self)
        twin.keyid = keyid
        return twin


def pem(private: object) -> str:
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def point(private: ec.EllipticCurvePrivateKey) -> str:
    return private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint).hex()


def raw(private: ed25519.Ed25519PrivateKey) -> str:
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def pss(private: rsa.RSAPrivateKey, digest: object, salt: int) -> Sign:
    return lambda body: private.sign(body, padding.PSS(padding.MGF1(digest), salt), digest)


ED = [ed25519.Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32) for seed in (1, 2, 3)]
PLAIN, SECOND, THIRD = (Key("ed25519", "ed25519", raw(private), private.sign) for private in ED)
P256 = ec.derive_private_key(int("1234" * 8, 16), ec.SECP256R1())
P384 = ec.derive_private_key(int("1234" * 8, 16), ec.SECP384R1())
RSA = rsa.generate_private_key(65537, 2048)
MLDSA = mldsa.MLDSA44PrivateKey.generate()


def sign_p256(body: bytes) -> bytes:
    return P256.sign(body, ec.ECDSA(SHA256()))


def sign_p384(body: bytes) -> bytes:
    return P384.sign(body, ec.ECDSA(SHA384()))


def sign_mldsa(body: bytes) -> bytes:
    # securesystemslib's _utils.get_mldsa_payload: "tuf", version 1, SHA-512.
    return MLDSA.sign(b"tuf\x01" + hashlib.sha512(body).digest())


def identity() -> Key:
    key = Key("sigstore-oidc", "Fulcio", "", lambda _: b"")
    key.object["keyval"] = {"identity": "a@example.org", "issuer": "https://example.org"}
    key.keyid = hashlib.sha256(encode_canonical(key.object).encode()).hexdigest()
    return key


KEYS = {
    "ed25519": PLAIN,
    "ed25519-pem": Key("ed25519", "ed25519", pem(ED[1]), ED[1].sign),
    "ed25519-custom-field": Key("ed25519", "ed25519", raw(ED[2]), ED[2].sign, **{"x-owner": "a"}),
    "p256": Key("ecdsa", "ecdsa-sha2-nistp256", pem(P256), sign_p256),
    "p256-no-final-newline": Key("ecdsa", "ecdsa-sha2-nistp256", pem(P256).strip(), sign_p256),
    "p256-old-keytype": Key("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", pem(P256), sign_p256),
    "p256-point": Key("ecdsa", "ecdsa-sha2-nistp256", point(P256), sign_p256),
    "p256-old-keytype-point": Key("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", point(P256), sign_p256),
    "p384": Key("ecdsa", "ecdsa-sha2-nistp384", pem(P384), sign_p384),
    "p384-old-keytype": Key("ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384", pem(P384), sign_p384),
    "p384-point": Key("ecdsa", "ecdsa-sha2-nistp384", point(P384), sign_p384),
    "p384-old-keytype-point": Key("ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384", point(P384), sign_p384),
    "rsa-pss-sha256": Key("rsa", "rsassa-pss-sha256", pem(RSA), pss(RSA, SHA256(), 32)),
    "rsa-pss-sha256-longest-salt": Key("rsa", "rsassa-pss-sha256", pem(RSA), pss(RSA, SHA256(), 222)),
    "rsa-pss-sha384": Key("rsa", "rsassa-pss-sha384", pem(RSA), pss(RSA, SHA384(), 48)),
    "rsa-pss-sha512": Key("rsa", "rsassa-pss-sha512", pem(RSA), pss(RSA, SHA512(), 64)),
    "rsa-pkcs1": Key("rsa", "rsa-pkcs1v15-sha256", pem(RSA), lambda body: RSA.sign(body, padding.PKCS1v15(), SHA256())),
    "ml-dsa": Key("ml-dsa", "ml-dsa-44/1", pem(MLDSA), sign_mldsa),
    "sigstore-oidc": identity(),
    "unknown-kind": Key("tin", "can", "00", lambda _: b""),
}
# One public key under two keyids, both right: the key objects differ.
TWINS = (THIRD, KEYS["ed25519-custom-field"])


def role(*keys: Key, threshold: int = 1) -> dict:
    return {"keyids": [key.keyid for key in keys], "threshold": threshold}


def root(*keys: Key, **changes: object) -> dict:
    """A root whose four roles are signed by `keys`."""
    keys = keys or (PLAIN,)
    return {
        "_type": "root",
        "spec_version": "1.0.0",
        "consistent_snapshot": True,
        "version": 1,
        "expires": EXPIRES,
        "keys": {key.keyid: key.object for key in keys},
        "roles": {name: role(*keys) for name in TOP_LEVEL},
        **changes,
    }


def without(signed: dict, name: str) -> dict:
    return {member: value for member, value in signed.items() if member != name}


def with_role(name: str, value: dict, *keys: Key) -> dict:
    signed = root(*keys)
    signed["roles"] = {**signed["roles"], name: value}
    return signed


def envelope(signed: dict, *signers: Key, more: tuple[dict, ...] = ()) -> str:
    body = encode_canonical(signed).encode()
    signatures = [{"keyid": key.keyid, "sig": key.sign(body).hex()} for key in signers]
    return json.dumps({"signatures": [*signatures, *more], "signed": signed}, ensure_ascii=False, indent=1)


def odd(keyid: str, *sigs: str) -> tuple[dict, ...]:
    return tuple({"keyid": keyid, "sig": sig} for sig in sigs)


def roots() -> dict[str, str]:
    """Every odd root by name."""
    made = {}
    for name, key in KEYS.items():
        made[f"only-{name}"] = envelope(root(key), key)
        if key is not PLAIN:
            idle = root(PLAIN, key)
            idle["roles"] = {top: role(PLAIN) for top in TOP_LEVEL} | {"targets": role(PLAIN, key)}
            made[f"idle-{name}"] = envelope(idle, PLAIN)
    for version in ("1.0", "1.0.31", "1.1.0", "1", "01.0.0", "2.0.0", "1.0.0-rc1"):
        made[f"spec_version-{version}"] = envelope(root(spec_version=version), PLAIN)
    for name, expires in {
        "offset": "2036-05-11T19:09:02-06:00",
        "offset-zero": "2036-05-11T19:09:02+00:00",
        "offset-and-fraction": "2036-12-18T13:28:12.99008-06:00",
        "nine-digits": "2036-05-11T19:09:02.663975009Z",
        "three-digits": "2036-05-11T19:09:02.123Z",
        "two-digits": "2036-05-11T19:09:02.12Z",
        "zero-at-end": "2036-05-11T19:09:02.120Z",
        "lower-case": "2036-05-11t19:09:02z",
        "space": "2036-05-11 19:09:02Z",
        "word": "tomorrow",
    }.items():
        made[f"expires-{name}"] = envelope(root(expires=expires), PLAIN)
    shapes = {
        "no-consistent_snapshot": without(root(), "consistent_snapshot"),
        "extra-role": with_role("mirrors", role(PLAIN)),
        "keyid-twice-in-role": with_role("targets", role(PLAIN, PLAIN)),
        "keyid-without-key": with_role("targets", role(PLAIN, SECOND)),
        "custom-field": root(**{"x-custom": {"a": [1, None, True]}}),
        "decomposed-text": root(**{"x": "e\u0301"}),
        "decomposed-name": root(**{"x": {"e\u0301": 1}}),
        "control-character": root(**{"x": "\u0001"}),
        "astral-name-sorts-alike": root(**{"x": {"a": 1, "\U00010000": 1}}),
        "astral-name-sorts-otherwise": root(**{"x": {"\uff5e": 1, "\U00010000": 1}}),
    }
    made |= {name: envelope(signed, PLAIN) for name, signed in shapes.items()}
    for name, keyid in {"word": "alice", "wrong": "ab" * 32, "upper-case": PLAIN.keyid.upper()}.items():
        key = PLAIN.under(keyid)
        made[f"keyid-{name}"] = envelope(root(key), key)
    made["one-key-two-keyids"] = envelope(with_role("root", role(*TWINS, threshold=2), *TWINS), *TWINS)
    made["signature-empty"] = envelope(root(), PLAIN, more=odd("ab", ""))
    made["signature-not-hexadecimal"] = envelope(root(), PLAIN, more=odd("ab", "zz"))
    made["signature-keyid-twice"] = envelope(root(), PLAIN, more=odd("ab", "00", "11"))
    made["signature-keyid-a-word"] = envelope(root(), PLAIN, more=odd("alice", "00"))
    return made


def targets(**delegations: object) -> dict:
    return {
        "_type": "targets",
        "spec_version": "1.0.0",
        "version": 1,
        "expires": EXPIRES,
        "targets": {},
        **({"delegations": {"keys": {PLAIN.keyid: PLAIN.object}, **delegations}} if delegations else {}),
    }


def delegated(name: str = "part", **fields: object) -> dict:
    return {"name": name, **role(PLAIN), "terminating": True, **fields}


SUCCINCT = {"bit_length": 14, "name_prefix": "bin", **role(PLAIN)}
SERVED = {
    "paths": targets(roles=[delegated(paths=["a/*"])]),
    "path_hash_prefixes": targets(roles=[delegated(path_hash_prefixes=["0"])]),
    "succinct_roles": targets(succinct_roles=SUCCINCT),
    "open-bracket": targets(roles=[delegated(paths=["a["])]),
    "field-of-a-role": targets(roles=[delegated(paths=["a/*"], **{"x-custom": 1})]),
    "field-of-delegations": targets(roles=[delegated(paths=["a/*"])], **{"x-custom": 1}),
    "custom-field": {**targets(), "x-custom": 1},
}
READ = {
    "role-named-snapshot": targets(roles=[delegated("snapshot", paths=["a/*"])]),
    "two-roles-of-one-name": targets(roles=[delegated(paths=["a/*"]), delegated(paths=["a/*"])]),
}


def fetched() -> dict[str, str]:
    """Every odd second root by name."""
    # Indented by three and the comma and the line end: 6 bytes for each zero.
    made = {
        name: envelope(root(version=2, **{"x": [0] * zeros}), PLAIN)
        for name, zeros in {"root-of-600-kB": 100_000, "root-of-1.2-MB": 200_000}.items()
    }
    twins = with_role("root", role(*TWINS, threshold=2), PLAIN, *TWINS)
    made["one-key-two-keyids"] = envelope({**twins, "version": 2}, PLAIN, *TWINS)
    return made


def serve(folder: Path, odd_targets: dict) -> None:
    """A whole repository around the targets."""
    listed = {"targets.json": {"version": 1}, "part.json": {"version": 1}}
    snapshot = {"_type": "snapshot", "spec_version": "1.0.0", "version": 1, "expires": EXPIRES, "meta": listed}
    timestamp = {**snapshot, "_type": "timestamp", "meta": {"snapshot.json": {"version": 1}}}
    files = {
        "1.root": root(),
        "1.targets": odd_targets,
        "1.part": targets(),
        "1.snapshot": snapshot,
        "timestamp": timestamp,
    }
    for name, signed in files.items():
        put(folder / "metadata" / f"{name}.json", envelope(signed, PLAIN))


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes probe files, one oddity each; tests only")
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    for name, text in roots().items():
        put(out / "root" / f"{name}.json", text)
    for name, signed in READ.items():
        put(out / "targets" / f"{name}.json", envelope(signed, PLAIN))
    for name, signed in SERVED.items():
        serve(out / "served" / name, signed)
    for name, second in fetched().items():
        put(out / "fetched" / name / "metadata" / "1.root.json", envelope(root(), PLAIN))
        put(out / "fetched" / name / "metadata" / "2.root.json", second)


if __name__ == "__main__":
    main()
