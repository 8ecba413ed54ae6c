"""What the queue answered, as a Kecamatan's status. Pure.

Conditions, as Kubernetes has them: Ready, the office runs as the resource says; Progressing, it
does not yet and that is being worked on; Degraded, it will not until somebody changes something.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunggu.queue.v1 import kecamatan_pb2 as pb
from tunggu.survey.v1.tally_pb2 import Tally

TYPES = ("Ready", "Progressing", "Degraded")
Condition = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended: `reason` is one word, `message` a sentence."""

    ready: str  # "True", "False", or "Unknown" while the queue cannot be asked
    reason: str
    message: str
    progressing: bool = False
    degraded: bool = False


def applied(office: pb.Office) -> Outcome:
    """The queue has it; what changes the policy may wait for another day."""
    if office.change_pending:
        text = f"Applied. What changes the policy holds after {office.service_day}."
        return Outcome("True", "AppliedFromNextDay", text)
    return Outcome("True", "Applied", "The office is as the resource says.")


def refused(reason: str, field: str, why: str) -> Outcome:
    """The queue will not have it; the same every time until it is changed."""
    text = f"{field}: {why}" if field else why
    return Outcome("False", _word(reason), text or reason, degraded=True)


def unreachable(reason: str) -> Outcome:
    """Nobody knows; it is tried again."""
    return Outcome("Unknown", _word(reason), "The queue did not answer.", progressing=True)


def _word(reason: str) -> str:
    """`INVALID_KECAMATAN` as conditions spell reasons: `InvalidKecamatan`."""
    return reason.title().replace("_", "")


def conditions(
    before: Sequence[Mapping[str, Any]], outcome: Outcome, generation: int, now: str
) -> list[Condition]:
    """All three. A transition's time stays while its status does."""
    states = {
        "Ready": outcome.ready,
        "Progressing": str(outcome.progressing),
        "Degraded": str(outcome.degraded),
    }
    known = {condition["type"]: condition for condition in before}
    return [_condition(name, states[name], outcome, generation, now, known) for name in TYPES]


def _condition(
    name: str, status: str, outcome: Outcome, generation: int, now: str, known: Mapping[str, Any]
) -> Condition:
    same = known.get(name, {}).get("status") == status
    return {
        "type": name,
        "status": status,
        "observedGeneration": generation,
        "lastTransitionTime": known[name]["lastTransitionTime"] if same else now,
        "reason": outcome.reason,
        "message": outcome.message,
    }


def figures(office: pb.Office, tally: Tally | None) -> dict[str, Any]:
    """What `kubectl get` shows of the office."""
    return {
        "open": office.open,
        "waiting": office.waiting,
        "servedToday": office.completed_today,
        "countersOpen": office.counters_open,
        "serviceDay": office.service_day,
        "policy": office.policy,
        "changePending": office.change_pending,
        "satisfaction": satisfaction(tally),
    }


def satisfaction(tally: Tally | None) -> str:
    """`92% (n=45)`, the share of sangat puas and puas; `-` while the answers say too little."""
    if tally is None or not tally.answers or not tally.enough_answers:
        return "-"
    return f"{100 * tally.favourable.count / tally.answers:.0f}% (n={tally.answers})"
