"""IndexService over gRPC: the official questionnaire, its index and the printable report."""

from __future__ import annotations

from typing import Any

import grpc

from services.chassis.errors import Problem
from services.survey import asking, report, tables, view
from services.survey.daybook import Daybook
from services.survey.questionnaire import questionnaire
from services.survey.queue_client import QueueClient
from services.survey.store import Store
from tunggu.survey.v1 import index_pb2 as pb
from tunggu.survey.v1 import index_pb2_grpc

Context = grpc.aio.ServicerContext[Any, Any]


class IndexServicer(index_pb2_grpc.IndexServiceServicer):
    """Nothing of the three buttons enters here but the report, where they stand apart."""

    def __init__(self, store: Store, queue: QueueClient, daybook: Daybook) -> None:
        self._store = store
        self._queue = queue
        self._daybook = daybook

    async def GetQuestionnaire(self, request: pb.GetQuestionnaireRequest, context: Context) -> Any:
        return pb.GetQuestionnaireResponse(questionnaire=view.questions(questionnaire()))

    async def CreateAssessment(self, request: pb.CreateAssessmentRequest, context: Context) -> Any:
        if not request.ticket_id:
            raise Problem("TICKET_NOT_FOUND")
        asking.citizen()
        ratings, profile = asking.ratings_of(request.ratings), asking.profile_of(request.profile)
        served = await self._queue.served(request.ticket_id)
        ask = asking.request("CreateAssessment", request, served.code, request.ticket_id)
        if await self._queue.is_over(served.code, served.day):
            raise Problem("ANSWER_TOO_LATE")
        at = await self._store.create_assessment(ask, served, ratings, profile)
        taken = pb.Assessment(
            kecamatan=served.code,
            service_day=served.day,
            number=served.number,
            assessed_at=view.timestamp(at),
        )
        return pb.CreateAssessmentResponse(assessment=taken)

    async def GetIndex(self, request: pb.GetIndexRequest, context: Context) -> Any:
        code = asking.code_of(request)
        dates = await asking.period_of(request, code, self._daybook)
        records = await self._daybook.records(code, dates)
        return pb.GetIndexResponse(index=view.index(code, dates, records))

    async def ExportIndex(self, request: pb.ExportIndexRequest, context: Context) -> Any:
        code = asking.code_of(request)
        dates = await asking.period_of(request, code, self._daybook)
        return pb.ExportIndexResponse(
            body=tables.index(await self._daybook.records(code, dates)),
            content_type=tables.CONTENT_TYPE,
            filename=tables.filename("ikm", code, dates),
        )

    async def GetReport(self, request: pb.GetReportRequest, context: Context) -> Any:
        code = asking.code_of(request)
        dates = await asking.period_of(request, code, self._daybook)
        office = (await self._queue.office(code)).name
        page = report.page(office, code, dates, await self._daybook.records(code, dates))
        return pb.GetReportResponse(body=page.encode(), content_type=report.CONTENT_TYPE)
