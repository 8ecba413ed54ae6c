"""The data folder of one machine: what lies where, who may open it, which Redis wrote it.

lock            held while a stack runs; the pid inside is for people
clock           the mapped time of its days, or "real"; written at the first start
redis-version   the newest server that has written redis/
redis/          the append-only file: the truth
keys/ tokens/   the development key and tokens made with it
logs/           one file a process
"""

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from services.local.clock import Clock, from_now, parse
from services.local.errors import LocalError
from services.local.whole import write_whole

_SOCKET_PATH_LIMIT = 107  # bytes; sockaddr_un holds 108 with the final zero
Version = tuple[int, int, int]


class Folder:
    """An opened data folder. LocalError if another stack has it open.

    `close` gives it back; the kernel does so when the process dies.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        for made in (self.root, self.redis, self.keys, self.tokens, self.logs):
            _make_private(made)
        self._lock = _locked(self.root / "lock", self.root)
        self._short: Path | None = None

    @property
    def redis(self) -> Path:
        return self.root / "redis"

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def tokens(self) -> Path:
        return self.root / "tokens"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def socket(self) -> Path:
        """Redis' socket: in the folder, or where the path is short enough for a socket."""
        here = self.redis / "redis.sock"
        if len(os.fsencode(here)) <= _SOCKET_PATH_LIMIT:
            return here
        if self._short is None:
            self._short = Path(tempfile.mkdtemp(prefix="tunggu-", dir=_runtime_folder()))
        return self._short / "redis.sock"

    def admit_redis(self, server: Version) -> None:
        """Records the server's version; LocalError if a newer one has written the data.

        A newer server's append-only file opened by an older one starts empty
        without a word.
        """
        record = self.root / "redis-version"
        written = max(_recorded(record), _least_version_of(self.redis))
        if server < written:
            raise LocalError(
                f"the data in {self.root} was written by Redis {text_of(written)}, and Redis "
                f"{text_of(server)} would start empty without a word: install redis-server "
                f"{text_of(written)} or newer, or use another folder with DATA="
            )
        write_whole(record, f"{text_of(server)}\n".encode())

    def admit_speed(self, speed: float) -> Clock | None:
        """The clock of this folder's days, None for real time; made now if it is new.

        LocalError if its days were kept at another speed: they would lie ahead
        of the calendar, and time in a journal never goes back. The same if the
        record does not say at which.
        """
        record = self.root / "clock"
        if not record.exists():
            text = "real" if speed == 1 else from_now(speed).text()
            write_whole(record, f"{text}\n".encode())
        kept = _clock_in(record)
        kept_speed = kept.speed if kept else 1.0
        if kept_speed != speed:
            raise LocalError(
                f"the days in {self.root} were kept with SPEED={kept_speed:g}: use that again, "
                f"or give SPEED={speed:g} a folder of its own with DATA="
            )
        return kept

    def close(self) -> None:
        if self._short:
            shutil.rmtree(self._short, ignore_errors=True)
        os.close(self._lock)


def version_of(binary: Path) -> Version:
    """What `redis-server --version` says."""
    said = subprocess.run([str(binary), "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"\bv=(\d+)\.(\d+)\.(\d+)", said.stdout)
    if not found:
        raise LocalError(f"{binary} --version does not name a version: install redis-server")
    return int(found[1]), int(found[2]), int(found[3])


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise LocalError(f"cannot use DATA={folder}: {error.strerror}") from None


def _locked(path: Path, root: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise LocalError(
            f"cannot use {path}: {error.strerror}: it must be a file that you may write; "
            "or choose another folder with DATA="
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 20).decode().strip()
        os.close(descriptor)
        raise LocalError(
            f"{root} is in use by process {holder or '?'}: stop it, "
            "or give this one its own folder and port: make run DATA=.tunggu-2 PORT=8081"
        ) from None
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def _clock_in(record: Path) -> Clock | None:
    try:
        text = record.read_text().strip()
        return None if text == "real" else parse(text)
    except ValueError:  # also what is not UTF-8
        raise LocalError(
            f"{record} does not say how fast its days went by: write the word real into it if "
            "they were kept without SPEED=, or choose another folder with DATA="
        ) from None


def _recorded(record: Path) -> Version:
    if not record.exists():
        return 0, 0, 0
    found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", record.read_text().strip())
    if not found:
        raise LocalError(f"{record} does not hold a version of Redis: put the right one there")
    return int(found[1]), int(found[2]), int(found[3])


def _least_version_of(redis: Path) -> Version:
    """From the form of the data alone: Redis 7 began to keep it in a folder."""
    return (7, 0, 0) if (redis / "appendonlydir").exists() else (0, 0, 0)


def _runtime_folder() -> str:
    """A short one: XDG_RUNTIME_DIR, else the folder for temporary files."""
    given = os.environ.get("XDG_RUNTIME_DIR", "")
    return given if given and os.access(given, os.W_OK) else tempfile.gettempdir()


def text_of(version: Version) -> str:
    return ".".join(str(part) for part in version)
