"""Routes are what the protos declare."""

import pytest
from google.api import annotations_pb2

from services.chassis.errors import Problem
from services.gateway.compose import SERVICES
from services.gateway.routes import Routes, allowed

ROUTES = Routes(SERVICES)


def matched(method, path):
    route, variables = ROUTES.match(method, path.encode())
    return route.rpc.name, dict(variables)


@pytest.mark.parametrize(
    ("method", "path", "rpc", "variables"),
    [
        ("GET", "/v1/kecamatan", "ListKecamatan", {}),
        ("GET", "/v1/kecamatan/73.71.03", "GetKecamatan", {"kecamatan": "73.71.03"}),
        ("PUT", "/v1/kecamatan/73.71.03", "ApplyKecamatan", {"kecamatan": "73.71.03"}),
        ("POST", "/v1/kecamatan/73.71.03:stopIssuing", "StopIssuing", {"kecamatan": "73.71.03"}),
        ("POST", "/v1/kecamatan/73.71.03/tickets", "CreateTicket", {"kecamatan": "73.71.03"}),
        ("POST", "/v1/tickets/abc_-1:cancel", "CancelTicket", {"ticket_id": "abc_-1"}),
        ("GET", "/v1/tickets/abc", "GetTicket", {"ticket_id": "abc"}),
        ("GET", "/v1/streams/tickets/abc", "GetTicket", {"ticket_id": "abc"}),
        ("GET", "/v1/streams/city", "ListKecamatan", {}),
        (
            "POST",
            "/v1/kecamatan/73.71.03/tickets/A012:cancel",
            "CancelTicket",
            {"kecamatan": "73.71.03", "number": "A012"},
        ),
        (
            "POST",
            "/v1/kecamatan/73.71.03/counters/1:callNext",
            "CallNextTicket",
            {"kecamatan": "73.71.03", "counter": "1"},
        ),
        (
            "GET",
            "/v1/kecamatan/73.71.03/days/2026-03-02/events",
            "ListEvents",
            {"kecamatan": "73.71.03", "day": "2026-03-02"},
        ),
    ],
)
def test_a_path_leads_to_its_rpc_and_variables(method, path, rpc, variables):
    assert matched(method, path) == (rpc, variables)


def test_every_annotated_method_has_all_its_routes():
    bindings = 0
    for service in SERVICES:
        for rpc in service.methods:
            rule = rpc.GetOptions().Extensions[annotations_pb2.http]
            bindings += bool(rule.WhichOneof("pattern")) + len(rule.additional_bindings)
    assert len(ROUTES.all) == bindings
    assert "BatchCreateTickets" not in {route.rpc.name for route in ROUTES.all}


def test_only_a_slash_and_a_colon_that_are_written_as_such_divide_a_path():
    assert matched("GET", "/v1/tickets/a%2Fb%3Acancel") == (
        "GetTicket",
        {"ticket_id": "a/b:cancel"},
    )
    assert matched("GET", "/v1/tickets/%E2%82%AC") == ("GetTicket", {"ticket_id": "€"})


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "/v1",
        "/v1/",
        "/v1/kecamatan/",
        "/v1//kecamatan",
        "/v1/tickets",
        "/v1/tickets/",
        "/v1/tickets/:cancel",
        "/v1/tickets/a:reorder",
        "/v1/tickets/a:cancel:cancel",
        "/v1/tickets/a/b",
        "/v1/tickets/%FF",
        "/v1/kecamatan/73.71.03/tickets/A012",
        "/V1/kecamatan",
        "/v1/kecamatan/../kecamatan",
    ],
)
def test_what_no_proto_declares_is_not_found(path):
    with pytest.raises(Problem) as caught:
        ROUTES.match("GET", path.encode())
    assert caught.value.reason == "ROUTE_NOT_FOUND"


def test_another_method_is_refused_with_those_that_are_admitted():
    with pytest.raises(Problem) as caught:
        ROUTES.match("POST", b"/v1/kecamatan/73.71.03")
    assert caught.value.metadata == {"allow": "DELETE, GET, HEAD, OPTIONS, PUT"}
    assert allowed(ROUTES.methods(b"/v1/tickets/a:cancel")) == ["OPTIONS", "POST"]


def test_only_a_post_without_a_verb_creates():
    created = {route.rpc.name for route in ROUTES.all if route.status == 201}
    assert created == {"CreateTicket"}


def test_there_is_no_verb_that_reorders():
    verbs = {route.verb for route in ROUTES.all}
    assert not verbs & {"move", "reorder", "promote", "swap", "advance"}
