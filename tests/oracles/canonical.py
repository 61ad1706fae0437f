"""What securesystemslib and Python's json module make of JSON documents.

Reads one document a line; answers with one line each: the canonical form and the form that
python-tuf writes to disk, both in hexadecimal.
"""

import json
import sys

from securesystemslib.formats import encode_canonical

for line in sys.stdin.buffer:
    value = json.loads(line)
    styled = json.dumps(value, indent=1, separators=(",", ": "), sort_keys=True)
    print(encode_canonical(value).encode().hex(), styled.encode().hex())
