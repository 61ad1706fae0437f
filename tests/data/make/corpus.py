#!/usr/bin/env python3
"""Writes the signed inputs of the hostile corpus and of its good twins: `corpus.py` beside the folders it fills. Every run gives the same bytes.

A case lays its files over those of its good twin (`good/<name>`), so that the flaw is the only difference.
"""

import json
from pathlib import Path

from keys import but, envelope, key, keyid, part, payload, root, role, sha256, signature, targets, text, bins, keys

DATA = Path(__file__).resolve().parent.parent
OLD, NEW = ("alice", "bob", "carol"), ("bob", "carol", "dave")
ROOT1 = text(envelope(root(1, *OLD), "alice", "bob"))
ROOT2 = root(2, *NEW)
TARGETS = targets(1)
BINS = bins(1)
TRUSTED = sha256(ROOT1)
EXPIRED = text(envelope(root(1, *OLD, expires="2026-01-01T00:00:00Z"), "alice", "bob"))


def put(path, data):
    path = DATA / path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())


def root2(case, signed, *names):
    put(f"{case}/2.root.json", text(envelope(signed, *(names or ("bob", "carol")))))


def targets1(case, signed, *names):
    put(f"{case}/1.targets.json", text(envelope(signed, *(names or ("tina", "tom")))))


def raw(case, old, new):
    """2.root.json with its text changed: what no JSON writer would write."""
    good = text(envelope(ROOT2, "bob", "carol"))
    assert good.count(old) >= 1, (case, old)
    put(f"{case}/2.root.json", good.replace(old, new, 1))


def good():
    for folder in ("chain", "renew/in/trusted", "admin-key/in/trusted"):
        put(f"good/{folder}/1.root.json", ROOT1)
    put("good/chain/2.root.json", text(envelope(ROOT2, "bob", "carol")))
    put("good/chain/1.targets.json", text(envelope(TARGETS, "tina", "tom")))
    put("good/chain/1.bins.json", text(envelope(BINS, "ben", "bea")))
    for folder in ("renew", "admin-key"):
        put(f"good/{folder}/in/trusted/1.targets.json", text(envelope(TARGETS, "tina", "tom")))
    other = but(TARGETS, "delegations", "roles", 0, "paths", to=["a*", "b*"])
    put("good/renew-other-targets/in/trusted/1.root.json", ROOT1)
    put("good/renew-other-targets/in/trusted/1.targets.json", text(envelope(other, "tina", "tom")))
    put("good/renew-expired/in/trusted/1.root.json", EXPIRED)
    put("good/renew-expired/in/trusted/1.targets.json", text(envelope(TARGETS, "tina", "tom")))
    put("good/merge/1.root.json", ROOT1)
    put("good/merge/a.part.json", part(ROOT2, TRUSTED, "bob"))
    put("good/merge/b.part.json", part(ROOT2, TRUSTED, "carol"))


def json_form():
    raw("cve_php_tuf_duplicate_member", b'"version": 2', b'"version": 1, "version": 2')
    raw("duplicate_member_in_another_spelling", b'"version": 2', b'"\\u0076ersion": 1, "version": 2')
    raw("cve_2020_10735_endless_integer", b'"version": 2', b'"version": ' + b"9" * 5000)
    put("nested_ten_thousand_levels/2.root.json", b'{"signatures": [], "signed": ' + b"[" * 10000 + b"]" * 10000 + b"}")
    put("signatures_is_an_object/2.root.json", text({"signatures": {}, "signed": ROOT2}))
    put("signature_without_keyid/2.root.json", text({"signatures": [{"sig": "00"}], "signed": ROOT2}))
    put("no_signed_part/2.root.json", text({"signatures": []}))


def header():
    root2("spec_version_2", but(ROOT2, "spec_version", to="2.0.0"))
    root2("spec_version_with_leading_zero", but(ROOT2, "spec_version", to="1.00.1"))
    root2("version_zero", but(ROOT2, "version", to=0))
    root2("version_is_true", but(ROOT2, "version", to=True))
    root2("expires_on_31_february", but(ROOT2, "expires", to="2027-02-31T00:00:00Z"))
    root2("expires_with_a_bidi_override", but(ROOT2, "expires", to="2027-06-01T00:00:00Z\u202e\u001b[2J\u200b"))
    root2("cve_2025_2885_root_version_not_the_next", but(ROOT2, "version", to=4))
    root2("type_is_targets_in_a_root_file", {**TARGETS, "version": 2})
    root2("type_is_unknown", but(ROOT2, "_type", to="rooot"))
    root2("keys_is_a_list", but(ROOT2, "keys", to=[]))
    targets1("root_in_the_place_of_targets", {**ROOT2, "version": 1})
    root2("consistent_snapshot_is_a_word", but(ROOT2, "consistent_snapshot", to="yes"))
    root2("incident_expired_root", but(ROOT2, "expires", to="2026-11-30T23:59:59Z"))


def roles():
    root2("cve_2026_23992_threshold_zero", but(ROOT2, "roles", "root", "threshold", to=0))
    root2("cve_2026_23992_threshold_negative", but(ROOT2, "roles", "root", "threshold", to=-1))
    root2("threshold_over_keys", but(ROOT2, "roles", "root", "threshold", to=4))
    root2("threshold_two_to_the_32", but(ROOT2, "roles", "root", "threshold", to=2**32))
    root2("keyid_twice_in_a_role", but(ROOT2, "roles", "root", "keyids", to=[keyid("bob"), keyid("bob")]))
    root2("role_names_a_key_that_is_not_there", but(ROOT2, "keys", keyid("dave"), to=None))
    root2("root_without_timestamp_role", but(ROOT2, "roles", "timestamp", to=None))
    root2("root_without_root_role", but(ROOT2, "roles", "root", to=None))


def key_flaw(case, name, **changes):
    """dave's key changed; his keyid stays, so that nothing else differs."""
    changed = {**key(name), **changes}
    root2(case, but(ROOT2, "keys", keyid(name), to=changed))


def pem(name):
    return (DATA / "keys" / name).read_text()


def key_material():
    key_flaw("incident_datadog_private_key", "dave", keyval={"private": "11" * 32, "public": key("dave")["keyval"]["public"]})
    secret = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIA==\n-----END EC PRIVATE KEY-----\n"
    ecdsa = {"keytype": "ecdsa", "scheme": "ecdsa-sha2-nistp256"}
    key_flaw("private_key_in_the_place_of_the_public_one", "dave", keyval={"public": secret}, **ecdsa)
    key_flaw("ed25519_identity_point", "dave", keyval={"public": "01" + "00" * 31})
    key_flaw("rsa_1024_bits", "dave", keytype="rsa", scheme="rsassa-pss-sha256", keyval={"public": pem("rsa-1024.pem")})
    key_flaw("rsa_exponent_three", "dave", keytype="rsa", scheme="rsassa-pss-sha256", keyval={"public": pem("rsa-exponent-3.pem")})
    key_flaw("point_not_on_the_curve", "dave", keyval={"public": "04" + "11" * 64}, **ecdsa)
    key_flaw("key_on_secp256k1", "dave", keyval={"public": pem("secp256k1.pem")}, **ecdsa)
    key_flaw("ed25519_key_of_31_bytes", "dave", keyval={"public": "11" * 31})
    key_flaw("key_of_another_type_than_it_says", "dave", **ecdsa)
    key_flaw("keytype_is_a_number", "dave", keytype=25519)


def counting():
    root2("cve_2020_6174_one_signature_twice", ROOT2, "bob", "bob")
    twice = envelope(ROOT2, "bob")
    twice["signatures"].append(signature("bob", but(ROOT2, "expires", to="2027-05-31T00:00:00Z")))
    put("cve_2020_15093_second_signature_by_one_key/2.root.json", text(twice))
    alias = "00" * 32
    twin = but(ROOT2, "keys", alias, to=key("bob"))
    twin = but(twin, "roles", "root", "keyids", to=[keyid("bob"), alias, keyid("dave")])
    two_names = envelope(twin, "bob", "alice")
    two_names["signatures"].append(signature("bob", twin, alias))
    put("ghsa_3633_5h82_39pq_one_key_under_two_keyids/2.root.json", text(two_names))
    root2("gms_2022_4197_new_threshold_by_old_keys", ROOT2, "alice", "bob")
    root2("signed_by_the_keys_of_another_role", ROOT2, "tina", "tom")
    root2("cve_2020_15163_root_not_signed_by_the_old_keys", root(2, "carol", "dave", "erin"), "dave", "erin")
    stale = envelope(ROOT2)
    before = but(ROOT2, "version", to=1)
    stale["signatures"] = [signature(name, before) for name in ("bob", "carol")]
    put("incident_docker_stale_signatures/2.root.json", text(stale))
    many = envelope(ROOT2, "bob", "carol")
    many["signatures"] += [{"keyid": f"{n:064x}", "sig": ""} for n in range(300)]
    put("three_hundred_signatures/2.root.json", json.dumps(many).encode())
    put("incident_sigstore_v11_keyid/2.root.json", text(sigstore_v11()))
    put("cve_2022_29173_root_rolled_back/2.root.json", text(envelope(root(1, *NEW), "bob", "carol")))


def sigstore_v11():
    """One field of a key edited and its keyid left: whoever recomputes keyids counts it as another key, and nobody signed with that one."""
    edited = {**key("dave"), "x-tuf-on-ci-keyowner": "@dave"}
    signed = but(ROOT2, "keys", keyid("dave"), to=edited)
    recomputed = sha256(json.dumps(edited, sort_keys=True, separators=(",", ":")).encode())
    file = envelope(signed, "bob", "alice")
    file["signatures"].append(signature("dave", signed, recomputed))
    return file


def delegations():
    def delegated(case, *path, to):
        targets1(case, but(TARGETS, "delegations", *path, to=to))

    delegated("cve_2026_24686_role_name_is_a_path", "roles", 0, "name", to="../../etc/bins")
    delegated("cve_2021_41131_role_name_is_dot_dot", "roles", 0, "name", to="..")
    delegated("role_name_is_root", "roles", 0, "name", to="root")
    delegated("role_name_of_300_characters", "roles", 0, "name", to="b" * 300)
    delegated("role_name_clears_the_screen", "roles", 0, "name", to="bins\u001b[2J")
    delegated("paths_and_hash_prefixes_at_once", "roles", 0, "path_hash_prefixes", to=["00"])
    delegated("roles_and_succinct_roles_at_once", "succinct_roles", to={"bit_length": 14, "name_prefix": "bin", **role(1, "ben")})
    one = TARGETS["delegations"]["roles"][0]
    delegated("one_role_delegated_twice", "roles", to=[one, one])
    delegated("terminating_is_missing", "roles", 0, "terminating", to=None)
    delegated("ghsa_go_tuf_delegated_threshold_zero", "roles", 0, "threshold", to=0)
    delegations = {"keys": keys("ben"), "succinct_roles": {"bit_length": 33, "name_prefix": "bin", **role(1, "ben")}}
    targets1("succinct_roles_of_33_bits", but(TARGETS, "delegations", to=delegations))
    targets1("targets_by_one_of_two_keys", TARGETS, "tina")
    targets1("targets_signed_by_root_keys", TARGETS, "bob", "carol")
    put("bins_signed_by_targets_keys/1.bins.json", text(envelope(BINS, "tina", "tom")))
    put("bins_that_nobody_delegates_to/1.bins.json", text(envelope(BINS, "ben", "bea")))
    targets1("bins_that_nobody_delegates_to", but(TARGETS, "delegations", to={"keys": {}, "roles": []}))
    put("targets_of_two_payloads/copy/1.targets.json", text(envelope(but(TARGETS, "expires", to="2027-05-01T00:00:00Z"), "tina", "tom")))
    put("snapshot_named_as_targets/1.targets.json", text(envelope({**BINS, "_type": "snapshot", "meta": {}}, "server")))


def rehearsal():
    marked = {"x-tuf-ceremony-rehearsal": True}
    root2("root_of_a_rehearsal", {**ROOT2, **marked})
    targets1("targets_of_a_rehearsal", {**TARGETS, **marked})
    put("production_starts_from_a_rehearsal/in/trusted/1.targets.json", text(envelope({**TARGETS, **marked}, "tina", "tom")))


def merging():
    other = root(2, *NEW, expires="2027-05-01T00:00:00Z")
    put("two_candidates_of_one_version/b.part.json", part(other, TRUSTED, "carol"))
    put("part_of_another_ceremony/b.part.json", part(ROOT2, TRUSTED, "carol", ceremony="0a" * 32))
    put("part_of_another_trusted_root/b.part.json", part(ROOT2, "0b" * 32, "carol"))
    put("part_of_another_document/b.part.json", part(TARGETS, TRUSTED, "tina", document=("targets", 1)))
    given_up = [{"sha256": payload(ROOT2), "signed_by": ["alice"]}]
    put("part_that_supersedes_what_it_carries/b.part.json", part(ROOT2, TRUSTED, "carol", supersedes=given_up))
    record = {
        "schema": "tuf-ceremony/abandoned/1",
        "ceremony": "09" * 32,
        "abandoned": [{"document": {"role": "root", "version": 2}, "payload": payload(ROOT2), "signed_by": ["alice"]}],
    }
    put("candidate_that_was_abandoned/b.part.json", json.dumps(record, indent=2) + "\n")
    put("abandoned_record_with_a_short_digest/b.part.json", json.dumps(but(record, "abandoned", 0, "payload", to="00"), indent=2) + "\n")
    put("part_whose_digest_is_of_other_bytes/b.part.json", part(ROOT2, TRUSTED, "carol", payload="0c" * 32))
    put("part_that_lies_about_its_version/b.part.json", part(ROOT2, TRUSTED, "carol", version=3))
    tampered = part(ROOT2, TRUSTED, "carol").replace(b"2027-06-01", b"2028-06-01")
    put("part_with_a_tampered_envelope/b.part.json", tampered)
    put("part_with_an_unknown_member/b.part.json", part(ROOT2, TRUSTED, "carol").replace(b"{", b'{"force": true,', 1))
    put("part_of_a_rehearsal/b.part.json", part({**ROOT2, "x-tuf-ceremony-rehearsal": True}, TRUSTED, "carol", mode="rehearsal"))
    put("snapshot_among_the_parts/b.part.json", text(envelope({**BINS, "_type": "snapshot", "meta": {}}, "server")))
    put("merge_of_a_root_that_skips/a.part.json", part(root(3, *NEW), TRUSTED, "bob", document=("root", 3)))
    put("merge_of_a_root_that_skips/b.part.json", part(root(3, *NEW), TRUSTED, "carol", document=("root", 3)))
    put("bins_part_without_targets/a.part.json", part(BINS, TRUSTED, "ben", document=("bins", 1)))
    put("bins_part_without_targets/b.part.json", part(BINS, TRUSTED, "bea", document=("bins", 1)))


def intake():
    put("run_from_another_trusted_root/in/trusted/1.root.json", text(envelope(root(1, *OLD, expires="2027-05-01T00:00:00Z"), "alice", "bob")))
    put("run_from_targets_signed_by_one/in/trusted/1.targets.json", text(envelope(TARGETS, "tina")))
    put("run_from_targets_with_a_changed_byte/in/trusted/1.targets.json", text(envelope(TARGETS, "tina", "tom")).replace(b"2027-06", b"2028-06"))
    put("run_from_bins_that_nobody_delegates_to/in/trusted/1.targets.json", text(envelope(but(TARGETS, "delegations", to=None), "tina", "tom")))
    put("run_from_bins_that_nobody_delegates_to/in/trusted/1.bins.json", text(envelope(BINS, "ben", "bea")))
    put("run_from_a_root_where_targets_should_be/in/trusted/1.targets.json", ROOT1)
    put("genesis_over_an_old_chain/in/trusted/1.root.json", ROOT1)
    put("genesis_with_a_trusted_root/in/trusted/1.root.json", ROOT1)
    put("case_twins_in_the_input/in/trusted/1.ROOT.json", ROOT1)


for write in (good, json_form, header, roles, key_material, counting, delegations, rehearsal, merging, intake):
    write()
print(f"alice {keyid('alice')}\nbob {keyid('bob')}\ncarol {keyid('carol')}\ndave {keyid('dave')}\ntina {keyid('tina')}\ntom {keyid('tom')}\ntrusted root {TRUSTED}\nexpired root {sha256(EXPIRED)}")
