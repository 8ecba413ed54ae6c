"""FiguresService over gRPC: what the head of an office looks at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc

from services.survey import asking, periods, tables, view
from services.survey.daybook import Daybook
from tunggu.survey.v1 import figures_pb2 as pb
from tunggu.survey.v1 import figures_pb2_grpc

Context = grpc.aio.ServicerContext[Any, Any]


class FiguresServicer(figures_pb2_grpc.FiguresServiceServicer):
    """Reads only; the figures are the queue's and the survey's own."""

    def __init__(self, daybook: Daybook) -> None:
        self._daybook = daybook

    async def GetFigures(self, request: pb.GetFiguresRequest, context: Context) -> Any:
        code = asking.code_of(request)
        dates = await asking.period_of(request, code, self._daybook)
        other = _compared(request, dates)
        now, then = await self._period(code, dates), await self._period(code, other)
        figures = pb.Figures(
            kecamatan=code,
            period=view.period(dates, now),
            compared=view.period(other, then),
            change=view.changed(periods.change(now.total, then.total)),
        )
        return pb.GetFiguresResponse(figures=figures)

    async def _period(self, code: str, dates: Sequence[str]) -> periods.Period:
        return periods.period(await self._daybook.joined(code, dates))

    async def ExportFigures(self, request: pb.ExportFiguresRequest, context: Context) -> Any:
        code = asking.code_of(request)
        dates = await asking.period_of(request, code, self._daybook)
        return pb.ExportFiguresResponse(
            body=tables.figures(await self._daybook.joined(code, dates)),
            content_type=tables.CONTENT_TYPE,
            filename=tables.filename("kinerja", code, dates),
        )


def _compared(request: pb.GetFiguresRequest, dates: Sequence[str]) -> list[str]:
    """What the period is compared with. INVALID_REQUEST."""
    if request.compare_from or request.compare_to:
        return asking.span(request.compare_from, request.compare_to, "compareFrom", "compareTo")
    return periods.dates(*periods.before(dates[0], len(dates))) if dates else []
