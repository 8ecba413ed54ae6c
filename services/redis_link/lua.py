"""Lua scripts as files: loaded by a glob, run by their hash.

A folder's `*.lua` are the scripts, named like their files; those whose name begins
with `_` are a prelude that is put before each of them, in order of name.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

Argument = str | bytes | int
Call = tuple[Sequence[str | bytes], Sequence[Argument]]


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
        self, redis: Redis, name: str, keys: Sequence[str | bytes], args: Sequence[Argument]
    ) -> Any:
        """The script's reply. Errors are redis-py's."""
        (result,) = await self.run_many(redis, name, [(keys, args)])
        if isinstance(result, Exception):
            raise result
        return result

    async def run_many(self, redis: Redis, name: str, calls: Sequence[Call]) -> list[Any]:
        """A reply or an exception for each (keys, args), in one round trip, not atomic.

        A server that does not know the script (new, or failed over) is taught it and
        asked once more: a NOSCRIPT reply means that nothing ran.
        """
        script = self.by_name[name]
        results = await self._round(redis, script, calls)
        missed = [i for i, result in enumerate(results) if isinstance(result, NoScriptError)]
        if missed:
            await redis.script_load(script.source)
            again = await self._round(redis, script, [calls[i] for i in missed])
            for i, result in zip(missed, again, strict=True):
                results[i] = result
        return results

    async def _round(self, redis: Redis, script: Script, calls: Sequence[Call]) -> list[Any]:
        pipeline = redis.pipeline(transaction=False)
        for keys, args in calls:
            pipeline.execute_command("EVALSHA", script.sha, len(keys), *keys, *args)
        return await pipeline.execute(raise_on_error=False)
