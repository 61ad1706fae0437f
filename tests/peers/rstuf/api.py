"""What the models of RSTUF's API keep of a payload. The API is not on PyPI: the first argument is a checkout of it.

Prints one JSON object: {"refused": its words or null, "dropped": [JSON paths], "other": [what else differs]}.
"""

import json
import os
import sys
import warnings

os.environ.setdefault("RSTUF_REDIS_SERVER", "redis://localhost")
os.environ.setdefault("RSTUF_BROKER_SERVER", "redis://localhost")


def differences(given, kept, path=""):
    """Paths that are gone, and sentences about everything else."""
    dropped, other = [], []
    if isinstance(given, dict) and isinstance(kept, dict):
        inner = [(f"{path}.{name}" if path else name, value, kept.get(name), name in kept) for name, value in given.items()]
        other += [f"{path}.{name} is new" for name in kept if name not in given]
    elif isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        inner = [(f"{path}[{index}]", *pair, True) for index, pair in enumerate(zip(given, kept))]
    else:
        return dropped, other if given == kept else [f"{path} was {given!r} and is {kept!r}"]
    for at, value, left, there in inner:
        if there:
            below = differences(value, left, at)
            dropped += below[0]
            other += below[1]
        else:
            dropped.append(at)
    return dropped, other


def main():
    checkout, kind, file = sys.argv[1:]
    with open(file, encoding="utf-8") as text:
        payload = json.load(text)
    # The API opens its examples by relative paths.
    os.chdir(checkout)
    sys.path.insert(0, checkout)
    warnings.simplefilter("ignore")
    from pydantic import ValidationError
    from repository_service_tuf_api import bootstrap, metadata

    models = {
        "bootstrap": bootstrap.BootstrapPayload,
        "update": metadata.MetadataPostPayload,
        "sign": metadata.MetadataSignPostPayload,
        "pending": metadata.MetadataSignGetResponse,
    }
    try:
        kept = models[kind](**payload).model_dump(by_alias=True, exclude_none=True)
    except ValidationError as error:
        print(json.dumps({"refused": str(error), "dropped": [], "other": []}))
        return
    dropped, other = differences(payload, kept)
    print(json.dumps({"refused": None, "dropped": dropped, "other": other}))


if __name__ == "__main__":
    main()
