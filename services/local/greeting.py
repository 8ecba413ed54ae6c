"""What `make run` prints when everything works, and the tokens that it names.

Tokens go to files that only their owner can read; commands show `$(cat …)`. The links to the
staff's pages carry theirs in the fragment, which no browser sends: made with the development key,
they hold for 12 hours and for this machine's Tunggu alone.
"""

import shlex
from collections.abc import Mapping
from pathlib import Path

from services.local.settings import Settings
from services.local.stack import Stack
from services.local.whole import write_whole

EXAMPLE = "73.71.03"  # Kecamatan Makassar
ROLES: Mapping[str, str] = {
    "officer": EXAMPLE,
    "supervisor": EXAMPLE,
    "kiosk": EXAMPLE,
    "admin": "*",
}
WEB = Path(__file__).parents[1] / "gateway" / "web"
# What stands at the desk and in the hall: the page's folder, whose token, its address.
LINKS = (
    ("kiosk", "kiosk", f"/kiosk/{EXAMPLE}"),
    ("counter", "officer", f"/counter/{EXAMPLE}/1"),
    ("display", "kiosk", f"/display/{EXAMPLE}"),
    ("survey", "kiosk", f"/survey/{EXAMPLE}/1"),
    ("dashboard", "supervisor", f"/dashboard/{EXAMPLE}"),
    ("war-room", "", "/war-room"),
)


def write_tokens(stack: Stack, folder: Path) -> None:
    """One file a role, mode 0600, replaced whole."""
    for role, kecamatan in ROLES.items():
        write_whole(folder / role, f"{stack.token(role.upper(), kecamatan)}\n".encode())


def greeting(settings: Settings, stack: Stack, redis: str, offices: int) -> str:
    """The whole block. `redis` is the server's version."""
    return "\n".join(
        [
            "",
            f"Tunggu is ready: {offices} offices · {stack.url}/",
            "",
            *_what_runs_where(settings, stack, redis),
            "",
            *_time(settings),
            "",
            *_pages(stack),
            "",
            *_examples(settings, stack.url),
            "",
            "Ctrl-C stops everything; the next start continues the day.",
        ]
    )


def _what_runs_where(settings: Settings, stack: Stack, redis: str) -> list[str]:
    where, pids = stack.located(), stack.pids()
    metrics = f"metrics 127.0.0.1:{where.gateway_metrics}/metrics"
    at, pid = stack.url, pids["gateway"]
    lines = [f"  gateway  {at} · API {at}/docs · version {at}/version · {metrics} · pid {pid}"]
    for number, port in enumerate(where.queues):
        metrics = f"metrics 127.0.0.1:{where.queue_metrics[number]}/metrics"
        pid = pids[f"queue-{number + 1}"]
        lines.append(f"  queue    gRPC 127.0.0.1:{port} · {metrics} · pid {pid}")
    beside = {
        "survey": (where.survey, where.survey_metrics),
        "notify": (where.notify[0], where.notify_metrics[0]),
    }
    for name, (port, metrics_port) in beside.items():
        metrics = f"metrics 127.0.0.1:{metrics_port}/metrics"
        lines.append(f"  {name}   gRPC 127.0.0.1:{port} · {metrics} · pid {pids[name]}")
    return [
        *lines,
        f"  redis    {redis} on {where.redis} · pid {pids['redis']}",
        f"  data     {settings.folder} (logs in {settings.folder / 'logs'})",
    ]


def _time(settings: Settings) -> list[str]:
    lines = [
        "Offices keep their own hours."
        if settings.hours == "real"
        else "Offices are open around the clock; with their own hours: make run HOURS=real"
    ]
    if settings.speed != 1:
        lines.append(f"Time runs {settings.speed:g} times as fast.")
    if settings.host not in ("127.0.0.1", "::1", "localhost"):
        lines.append(
            f"Listening on {settings.host}: who can reach it needs no password to take a number, "
            "and the key that signs tokens is a development key."
        )
    return [f"  {line}" for line in lines]


def _pages(stack: Stack) -> list[str]:
    """Ready links, for the pages that there are."""
    lines = [f"  phone       {stack.url}/"]
    for folder, role, path in LINKS:
        if (WEB / folder).is_dir():
            token = f"#token={stack.token(role.upper(), EXAMPLE)}" if role else ""
            lines.append(f"  {folder:<11} {stack.url}{path}{token}")
    return lines


def _examples(settings: Settings, url: str) -> list[str]:
    office = f"{url}/v1/kecamatan/{EXAMPLE}"
    json, take = "-H 'Content-Type: application/json' -d", '{"service":"A"}'
    kiosk = '{"service":"A","channel":"KIOSK"}'
    there = _given(settings, "port", "host", "data")

    def post(role: str, path: str, body: str) -> str:
        token = shlex.quote(str(settings.folder / "tokens" / role))
        return f"curl -H \"Authorization: Bearer $(cat {token})\" {json} '{body}' {office}{path}"

    return [
        f"  citizen     {url}/ · the board: {office}/board",
        f"              curl {json} '{take}' {office}/tickets",
        "  kiosk       " + post("kiosk", "/tickets", kiosk),
        "  officer     " + post("officer", "/counters/1:open", "{}"),
        "              " + post("officer", "/counters/1:callNext", "{}"),
        "  supervisor  " + post("supervisor", ":stopIssuing", '{"reason":"POWER"}'),
        "              " + post("supervisor", ":resumeIssuing", "{}"),
        f"              {office}/report · {office}/satisfaction",
        f"  admin       make apply FILE=kecamatan/makassar.yaml{there}",
        f"  any role    make token ROLE=OFFICER KECAMATAN={EXAMPLE}{_given(settings, 'data')}",
    ]


def _given(settings: Settings, *names: str) -> str:
    """` PORT=8300`, as make has to be told again of what is not the default."""
    usual = Settings()
    values = {name: str(getattr(settings, name)) for name in names}
    return "".join(
        f" {name.upper()}={shlex.quote(value)}"
        for name, value in values.items()
        if value != str(getattr(usual, name))
    )
