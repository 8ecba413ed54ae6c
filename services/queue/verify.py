"""The replay verifier: did this day follow its published policy?

`verify` is a pure function of leaves and policy document; it never raises on bad input. As a
command it reads the two files:

    python -m services.queue.verify DAY.ndjson --policy FILE [--lang id|en] [--closed] [--json]

exit 0 clean, 1 breach, 2 unusable input or a leaf that this verifier cannot judge. Not proven by a
replay: that no leaf was dropped from the end of a day (`--closed` says that the day is over), and
what happened outside the journal.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from services.queue.findings import LANGUAGES, Finding
from services.queue.policy import parse_policy
from services.queue.replay import Replay, Report, Verdict

EXIT_CODES = {Verdict.CLEAN: 0, Verdict.BREACH: 1, Verdict.CANNOT_JUDGE: 2}


def verify(leaves: Iterable[bytes], document: bytes, closed: bool = False) -> Report:
    """The report on a day's leaves, given without line ends, under a policy document.

    `closed`: the day is known to be over, so a missing day.close is a breach; without it such a
    day is judged so far.
    """
    try:
        policy = parse_policy(document)
    except ValueError as error:
        note = Finding("POLICY_UNUSABLE", facts={"reason": str(error)})
        return Report(Verdict.CANNOT_JUDGE, "", "", 0, notes=(note,))
    replay = Replay(policy)
    for leaf in leaves:
        replay.take(leaf)
        if not replay.judging:
            break
    return replay.report(closed)


# The command


def as_text(report: Report, language: str) -> str:
    """The report in plain words, first breach first."""
    lines = [_HEADLINES[report.verdict][language].format(report=report)]
    for title, findings in (
        (None, report.notes),
        (("Pelanggaran", "Breaches"), report.breaches),
        (("Pertanyaan", "Questions"), report.indicators),
    ):
        if title and findings:
            lines.append(f"{title[LANGUAGES.index(language)]}:")
        lines += [f"  {found.code}: {found.text(language)}" for found in findings]
    return "\n".join(lines)


_HEADLINES = {
    Verdict.CLEAN: {
        "id": "{report.code} {report.day}: sesuai aturan, {report.leaves} peristiwa.",
        "en": "{report.code} {report.day}: by the rules, {report.leaves} events.",
    },
    Verdict.BREACH: {
        "id": "{report.code} {report.day}: tidak sesuai aturan, {report.leaves} peristiwa.",
        "en": "{report.code} {report.day}: not by the rules, {report.leaves} events.",
    },
    Verdict.CANNOT_JUDGE: {
        "id": "{report.code} {report.day}: tidak dapat dinilai.",
        "en": "{report.code} {report.day}: cannot be judged.",
    },
}


def as_json(report: Report) -> dict[str, Any]:
    """The report for programs; every finding with both texts."""
    return {
        "verdict": report.verdict.value,
        "code": report.code,
        "day": report.day,
        "leaves": report.leaves,
        "breaches": [_finding(found) for found in report.breaches],
        "indicators": [_finding(found) for found in report.indicators],
        "notes": [_finding(found) for found in report.notes],
    }


def _finding(found: Finding) -> dict[str, Any]:
    texts = {language: found.text(language) for language in LANGUAGES}
    place = {"code": found.code, "event": found.event, "line": found.line}
    return {**place, "facts": dict(found.facts), "text": texts}


def split(journal: bytes) -> list[bytes]:
    """The leaves of a file: every line but the empty one after the last line end."""
    lines = journal.split(b"\n")
    return lines[:-1] if lines[-1] == b"" else lines


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="services.queue.verify", description=verify.__doc__)
    parser.add_argument("journal", help="the day's leaves, one a line; .gz or - for stdin")
    parser.add_argument("--policy", required=True, help="the policy document")
    parser.add_argument("--lang", choices=LANGUAGES, default="id")
    parser.add_argument("--closed", action="store_true", help="the day is over")
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    return parser.parse_args(argv)


def _bytes(name: str) -> bytes:
    content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code; the report goes to stdout, unreadable files to stderr."""
    arguments = _arguments(argv)
    try:
        leaves, document = split(_bytes(arguments.journal)), _bytes(arguments.policy)
    except (OSError, EOFError) as error:
        print(f"cannot read: {error}", file=sys.stderr)
        return EXIT_CODES[Verdict.CANNOT_JUDGE]
    report = verify(leaves, document.rstrip(b"\n"), arguments.closed)
    _say(
        json.dumps(as_json(report), ensure_ascii=False)
        if arguments.json
        else as_text(report, arguments.lang)
    )
    return EXIT_CODES[report.verdict]


def _say(text: str) -> None:
    """To stdout. A reader that has seen enough, as `head` has, changes nothing."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # What is still buffered is flushed at exit: it must have somewhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
