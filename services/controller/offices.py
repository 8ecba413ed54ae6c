"""The calls to queue and survey, each one safe to repeat."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import grpc

from services.chassis.errors import Problem
from tunggu.queue.v1 import kecamatan_pb2 as pb
from tunggu.queue.v1 import kecamatan_pb2_grpc
from tunggu.survey.v1 import survey_pb2, survey_pb2_grpc
from tunggu.survey.v1.tally_pb2 import Tally


@dataclass(frozen=True)
class Offices:
    """The queue's admin API and what the survey says of a day."""

    queue: kecamatan_pb2_grpc.KecamatanServiceAsyncStub
    survey: survey_pb2_grpc.SurveyServiceAsyncStub

    @classmethod
    def over(cls, queue: grpc.aio.Channel, survey: grpc.aio.Channel) -> Offices:
        """`queue` carries our ADMIN token."""
        stub: Any = kecamatan_pb2_grpc.KecamatanServiceStub(queue)
        return cls(stub, survey_pb2_grpc.SurveyServiceStub(survey))

    async def apply(self, file: pb.Kecamatan) -> pb.Office:
        """The office as it is now; an unchanged file changes nothing. Problem."""
        request = pb.ApplyKecamatanRequest(
            kecamatan=file.spec.code, file=file, request_id=secrets.token_urlsafe(16)
        )
        return (await self.queue.ApplyKecamatan(request)).kecamatan

    async def delete(self, code: str) -> None:
        """Closes its day and takes it off the list; one that is not there is no matter. Problem."""
        request = pb.DeleteKecamatanRequest(kecamatan=code, request_id=secrets.token_urlsafe(16))
        try:
            await self.queue.DeleteKecamatan(request)
        except Problem as problem:
            if problem.reason != "KECAMATAN_NOT_FOUND":
                raise

    async def tally(self, code: str) -> Tally | None:
        """The answers of the running or last day; None while the survey cannot be asked."""
        request = survey_pb2.GetSatisfactionRequest(kecamatan=code)
        try:
            found = (await self.survey.GetSatisfaction(request)).satisfaction
        except Problem:
            return None
        return found.total
