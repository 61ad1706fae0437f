"""Throwaway keys from fixed seeds, and TUF metadata signed with them: the same bytes in every run.

Needs `cryptography` and `securesystemslib` from PyPI. The keys are worth nothing: everybody can make them.
"""

import copy
import hashlib
import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from securesystemslib.formats import encode_canonical

EXPIRES = "2027-06-01T00:00:00Z"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def private(name):
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


def key(name):
    raw = private(name).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {"keytype": "ed25519", "keyval": {"public": raw.hex()}, "scheme": "ed25519"}


def keyid(name):
    return sha256(encode_canonical(key(name)).encode())


def keys(*names):
    return {keyid(name): key(name) for name in names}


def role(threshold, *names):
    return {"keyids": [keyid(name) for name in names], "threshold": threshold}


def signature(name, signed, keyid_=None):
    sig = private(name).sign(encode_canonical(signed).encode()).hex()
    return {"keyid": keyid_ or keyid(name), "sig": sig}


def envelope(signed, *names):
    return {"signatures": [signature(name, signed) for name in names], "signed": signed}


def text(value):
    """python-tuf's file style."""
    return json.dumps(value, indent=1, sort_keys=True).encode()


def payload(signed):
    return sha256(encode_canonical(signed).encode())


def root(version, *holders, **changes):
    signed = {
        "_type": "root",
        "consistent_snapshot": True,
        "expires": EXPIRES,
        "keys": keys(*holders, "tina", "tom", "server"),
        "roles": {
            "root": role(2, *holders),
            "snapshot": role(1, "server"),
            "targets": role(2, "tina", "tom"),
            "timestamp": role(1, "server"),
        },
        "spec_version": "1.0.31",
        "version": version,
    }
    signed.update(changes)
    return signed


def targets(version, **changes):
    signed = {
        "_type": "targets",
        "delegations": {
            "keys": keys("ben", "bea"),
            "roles": [{"name": "bins", "paths": ["*"], "terminating": True, **role(2, "ben", "bea")}],
        },
        "expires": EXPIRES,
        "spec_version": "1.0.31",
        "targets": {},
        "version": version,
    }
    signed.update(changes)
    return signed


def bins(version, **changes):
    signed = {"_type": "targets", "expires": EXPIRES, "spec_version": "1.0.31", "targets": {}, "version": version}
    signed.update(changes)
    return signed


def part(signed, trusted_root, *names, ceremony="09" * 32, document=("root", 2), **changes):
    """A part file, as this program writes them."""
    wire = {
        "schema": "tuf-ceremony/part/1",
        "mode": "production",
        "ceremony": ceremony,
        "trusted_root": trusted_root,
        "role": document[0],
        "version": document[1],
        "payload": payload(signed),
        "supersedes": [],
        "acknowledgements": [],
        "envelope": text(envelope(signed, *names)).decode(),
    }
    wire.update(changes)
    return json.dumps(wire, indent=2).encode() + b"\n"


def but(value, *path, to):
    """A copy with one member changed; `to=None` removes it."""
    value = copy.deepcopy(value)
    inner = value
    for step in path[:-1]:
        inner = inner[step]
    if to is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = to
    return value
