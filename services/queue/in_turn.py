"""RPCs in fair turns: an office that is flooded waits for itself, and its staff for nobody."""

from __future__ import annotations

import inspect
from typing import Any

from services.chassis import access
from services.chassis.turns import Turns

RUNNING, EACH = 64, 16
"""Unary calls at once, in all and of one office."""

WAITING, PATIENCE = 1024, 5.0
"""Calls that wait for their turn, and for how long, seconds."""


def fair_turns() -> Turns:
    return Turns(RUNNING, EACH, WAITING, PATIENCE)


class InTurn:
    """A servicer each of whose unary calls waits for its office's turn; streams pass as they are.

    Calls that name no office, batches among them, are a line of their own, and so are those with
    a token at each office: a rush of citizens must not keep an officer from calling the next.
    """

    def __init__(self, servicer: Any, turns: Turns) -> None:
        self._servicer = servicer
        self._turns = turns

    def __getattr__(self, rpc: str) -> Any:
        method = getattr(self._servicer, rpc)
        return method if inspect.isasyncgenfunction(method) else self._in_turn(method)

    def _in_turn(self, method: Any) -> Any:
        async def in_turn(request: Any, context: Any) -> Any:
            async with self._turns.turn(line_of(request)):
                return await method(request, context)

        return in_turn


def line_of(request: Any) -> str:
    """The six digits of the office, and whether somebody of its staff asks."""
    office = getattr(request, "kecamatan", "").replace(".", "")
    digits = office or getattr(request, "ticket_id", "")[:6]
    return f"{digits} staff" if access.caller().subject else str(digits)
