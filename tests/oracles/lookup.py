"""What python-tuf says of path patterns, bins and whole searches.

Reads one question a line as JSON and answers each with one line of JSON:
  {"pattern", "path"}            whether a delegated role with this pattern has the path
  {"prefix", "path"}             the same with a hash prefix
  {"bits", "path"}               the bin of the path, with the name prefix "bin"
  {"roles", "path", "limit"}     the roles that a search asks, in order, and the one that lists the path or null;
                                 `roles` are the signed parts of targets roles by name
"""

import json
import sys
from types import SimpleNamespace

from tuf.api.metadata import DelegatedRole, SuccinctRoles, Targets
from tuf.ngclient.updater import Updater


def delegated(**what):
    return DelegatedRole("role", ["keyid"], 1, False, **what)


def search(roles, path, limit):
    roles = {name: Targets.from_dict(signed) for name, signed in roles.items()}
    asked = []

    def load(name, _parent):
        asked.append(name)
        return roles[name]

    # The search itself, without its network: it asks for nothing else.
    client = SimpleNamespace(
        _load_targets=load, config=SimpleNamespace(max_delegations=limit)
    )
    found = Updater._preorder_depth_first_walk(client, path)
    return {"asked": asked, "found": None if found is None else asked[-1]}


def answer(question):
    path = question["path"]
    if "pattern" in question:
        return delegated(paths=[question["pattern"]]).is_delegated_path(path)
    if "prefix" in question:
        role = delegated(path_hash_prefixes=[question["prefix"]])
        return role.is_delegated_path(path)
    if "bits" in question:
        bins = SuccinctRoles(["keyid"], 1, question["bits"], "bin")
        return bins.get_role_for_target(path)
    return search(question["roles"], path, question["limit"])


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))))
