"""What anyone can fetch of a day, and the verifier's word on it."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx


@dataclass(frozen=True)
class PublicDay:
    """The exact bytes: leaves without line ends, and the policy document."""

    leaves: tuple[bytes, ...]
    policy: bytes

    @classmethod
    def fetch(cls, http: httpx.Client, code: str, day: str) -> Self:
        """httpx.HTTPError if something is not there."""
        root = f"/v1/kecamatan/{code}"
        figures = http.get(f"{root}/days/{day}").raise_for_status().json()
        policy = http.get(f"{root}/policies/{figures['policy']}").raise_for_status().content
        leaves: list[bytes] = []
        while True:
            page = http.get(f"{root}/days/{day}/events", params={"after": len(leaves) - 1})
            if not page.raise_for_status().content:
                return cls(tuple(leaves), policy)
            leaves += page.content.splitlines()

    def verified(self, folder: Path) -> tuple[bool, str]:
        """Whether the verifier finds the closed day clean, and what it says.

        It runs as anyone would run it, on two files that are left in `folder`.
        """
        journal, policy = folder / "day.ndjson", folder / "policy.json"
        journal.write_bytes(b"".join(leaf + b"\n" for leaf in self.leaves))
        policy.write_bytes(self.policy)
        command = [sys.executable, "-P", "-m", "services.queue.verify", str(journal)]
        said = subprocess.run(
            [*command, "--policy", str(policy), "--closed", "--lang", "en"],
            capture_output=True,
            text=True,
            check=False,
        )
        return said.returncode == 0, (said.stdout + said.stderr).strip()
