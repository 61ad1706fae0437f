"""The one JSON object that every peer prints: ok, root_version, error, target_sha256, lookups."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable


class Report:
    """What a client said; `root_version` is kept up to date while the client works, so a refusal carries it too."""

    def __init__(self) -> None:
        self.root_version: int | None = None
        self.target_sha256: str | None = None
        self.lookups: list[dict[str, str | None]] = []

    def run(self, ask: Callable[[Report], None]) -> None:
        """Asks the client and prints its answer. The exit code tells that there is one, never what it says."""
        error = None
        try:
            ask(self)
        except Exception as failure:  # noqa: BLE001  every refusal is an answer
            error = f"{type(failure).__name__}: {failure}"
        answer = {
            "ok": error is None,
            "root_version": self.root_version,
            "error": error,
            "target_sha256": self.target_sha256,
            "lookups": self.lookups,
        }
        json.dump(answer, sys.stdout)
        sys.stdout.write("\n")
