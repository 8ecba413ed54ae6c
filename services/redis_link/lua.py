"""Lua scripts as files: loaded by a glob, run by their hash.

A folder's `*.lua` are the scripts, named like their files; those whose name begins
with `_` are a prelude that is put before each of them, in order of name.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from redis.exceptions import NoScriptError

from services.redis_link.link import Link
from services.redis_link.wire import Argument

Call = tuple[Sequence[str], Sequence[Argument]]


@dataclass(frozen=True)
class Script:
    """A script with its prelude; `sha` is the hash by which Redis knows it."""

    name: str
    source: str
    sha: str


@dataclass(frozen=True)
class Scripts:
    """The scripts of one folder, by name."""

    by_name: Mapping[str, Script]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads the folder. FileNotFoundError: it holds no script."""
        files = sorted(folder.glob("*.lua"))
        prelude = "".join(file.read_text("utf-8") for file in files if file.name.startswith("_"))
        scripts = {}
        for file in files:
            if not file.name.startswith("_"):
                source = prelude + file.read_text("utf-8")
                sha = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
                scripts[file.stem] = Script(file.stem, source, sha)
        if not scripts:
            raise FileNotFoundError(f"no Lua scripts in {folder}")
        return cls(scripts)

    def __getitem__(self, name: str) -> Script:
        return self.by_name[name]

    async def run(
        self, link: Link, name: str, keys: Sequence[str], args: Sequence[Argument]
    ) -> Any:
        """The script's reply, settled. Errors are redis-py's and redis_policy's."""
        (result,) = await self.run_many(link, name, [(keys, args)])
        if isinstance(result, Exception):
            raise result
        return result

    async def run_many(self, link: Link, name: str, calls: Sequence[Call]) -> list[Any]:
        """A reply or an exception for each (keys, args), in one round trip, not atomic; a reply is
        settled (`Link.many`).

        A server that does not know the script (new, or failed over) is taught it and
        asked once more: a NOSCRIPT reply means that nothing ran.
        """
        script = self.by_name[name]
        commands = [
            (keys[0], ("EVALSHA", script.sha, len(keys), *keys, *args)) for keys, args in calls
        ]
        results = await link.many(commands, settled=True)
        missed = [i for i, result in enumerate(results) if isinstance(result, NoScriptError)]
        if missed:
            await link.everywhere("SCRIPT", "LOAD", script.source)
            again = await link.many([commands[i] for i in missed], settled=True)
            for i, result in zip(missed, again, strict=True):
                results[i] = result
        return results
