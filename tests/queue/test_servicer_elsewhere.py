"""Offices that there are none of: each way of asking about one is refused by name."""

from tests.queue.servicing import Who
from tunggu.queue.v1 import queue_pb2 as pb

NOWHERE = ("99.99.99", "x", "", "73.71.03}")


async def test_get_counter_refuses_offices_that_are_none(office):
    for code in NOWHERE:
        request = pb.GetCounterRequest(kecamatan=code, counter="1")
        officer = Who("OFFICER", "*", "budi")
        await office.refused_as("GetCounter", request, "KECAMATAN_NOT_FOUND", officer)


async def test_list_audit_refuses_offices_that_are_none(office):
    for code in NOWHERE:
        request = pb.ListAuditRequest(kecamatan=code)
        head = Who("SUPERVISOR", "*", "camat")
        await office.refused_as("ListAudit", request, "KECAMATAN_NOT_FOUND", head)


async def test_list_events_refuses_codes_that_are_none(office):
    for code in NOWHERE[1:]:
        request = pb.ListEventsRequest(kecamatan=code, day="2026-03-02")
        await office.refused_as("ListEvents", request, "KECAMATAN_NOT_FOUND")


async def test_get_policy_refuses_codes_that_are_none(office):
    for code in NOWHERE[1:]:
        request = pb.GetPolicyRequest(kecamatan=code, hash="0" * 64)
        await office.refused_as("GetPolicy", request, "KECAMATAN_NOT_FOUND")
