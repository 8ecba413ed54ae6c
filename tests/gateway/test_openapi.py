"""The description says what the protos say, all of it, and is sound by itself."""

import re
from importlib.metadata import version

import pytest
from openapi_spec_validator import validate

from services.chassis.errors import catalogue
from services.gateway import comments, compose, openapi, problems, samples
from services.gateway.openapi import operation_id, template
from services.gateway.reference import page
from services.gateway.refusals import lists_reasons
from services.gateway.routes import Routes
from tests.gateway.described import ROUTES, check, document, operations, validator
from tests.gateway.fake_queue import CODE


def named(operation_id):
    return next(one for _, _, one in operations() if one["operationId"] == operation_id)


def test_it_is_openapi_3_1():
    validate(document())


def test_every_route_is_in_it_and_nothing_else():
    described = sorted((method, path) for method, path, _ in operations())
    assert described == sorted((route.method, template(route)) for route in ROUTES.all)


def test_operations_have_names_of_their_own():
    names = [operation_id(route) for route in ROUTES.all]
    assert sorted(names) == sorted(set(names))
    assert {"CancelTicket", "CancelTicketByNumber", "GetTicketStream", "WatchBoard"} <= {*names}


def media(operation):
    """What its bodies hold, asked and answered."""
    for part in (operation.get("requestBody", {}), *operation["responses"].values()):
        yield from part.get("content", {}).values()


def values(medium):
    """Its examples, which may stand in the components."""
    if "example" in medium:
        yield medium["example"]
    for reference in medium.get("examples", {}).values():
        yield document()["components"]["examples"][reference["$ref"].rpartition("/")[2]]["value"]


@pytest.mark.parametrize("name", [operation_id(route) for route in ROUTES.all])
def test_every_example_is_valid_by_its_schema(name):
    for medium in media(named(name)):
        assert list(values(medium))
        for value in values(medium):
            validator(medium["schema"]).validate(value)


def test_every_parameter_has_a_valid_example():
    shared = document()["components"]["parameters"]
    for _, path, operation in operations():
        for parameter in operation["parameters"]:
            one = shared[parameter["$ref"].rpartition("/")[2]] if "$ref" in parameter else parameter
            assert one["description"], (path, one["name"])
            validator(one["schema"]).validate(one["example"])


def test_path_variables_are_required_parameters_by_their_json_names():
    for _, path, operation in operations():
        told = [one["name"] for one in operation["parameters"] if one.get("in") == "path"]
        assert told == re.findall(r"\{(\w+)\}", path)


def test_everything_is_told_in_words():
    for _, path, operation in operations():
        assert operation["summary"], path
        assert operation["tags"][0] in [tag["name"] for tag in document()["tags"]]
    for name, schema in document()["components"]["schemas"].items():
        properties = schema.get("properties", {}).items()
        assert [key for key, one in properties if not one.get("description")] == [], name


def test_headers_stand_where_they_mean_something():
    def headers(name):
        references = [one.get("$ref", "") for one in named(name)["parameters"]]
        return [one.rpartition("/")[2] for one in references if one]

    always = ["Accept-Language", "X-Request-Id"]
    assert headers("CreateTicket") == ["Idempotency-Key", "Tunggu-Holder", *always]
    assert headers("CallNextTicket") == ["Idempotency-Key", *always]
    assert headers("GetBoard") == ["If-None-Match", *always]
    assert headers("WatchBoard") == ["Last-Event-ID", *always]
    assert headers("GetTicket") == always


def test_a_token_is_asked_for_where_the_protos_name_staff():
    security = {
        name: named(name)["security"] for name in ("GetBoard", "CreateTicket", "StopIssuing")
    }
    assert security == {
        "GetBoard": [{}],
        "CreateTicket": [{}, {"bearer": []}],
        "StopIssuing": [{"bearer": []}],
    }
    assert named("CancelTicket")["security"] == [{}]
    assert named("CancelTicketByNumber")["security"] == [{"bearer": []}]
    assert named("CancelTicketByNumber")["x-roles"] == ["OFFICER", "SUPERVISOR"]


def test_reasons_stand_at_their_status():
    operation = named("CreateTicket")
    by_status = {
        status: told["content"]["application/problem+json"]["schema"]["allOf"][1]["properties"]
        for status, told in operation["responses"].items()
        if int(status) >= 400
    }
    assert "LIVE_TICKET_EXISTS" in by_status["409"]["reason"]["enum"]
    assert by_status["429"]["reason"]["enum"] == ["QUOTA_EXHAUSTED", "RATE_LIMITED"]
    assert "OVERLOADED" in by_status["503"]["reason"]["enum"]
    assert by_status["503"]["status"]["const"] == 503


def test_every_address_may_refuse_who_asks_too_much_and_says_when_to_come_back():
    for path in document()["paths"].values():
        for operation in path.values():
            told = operation["responses"]["429"]
            assert "RATE_LIMITED" in told["description"]
            assert "Retry-After" in told["headers"]


def test_the_example_of_a_problem_says_what_a_client_would_read():
    for name, reason in catalogue().items():
        told = samples.problem(name)
        assert told["title"] == reason.title["en"]
        assert told["status"] == problems.status_of(problems.Problem(name))
        complete = reason.placeholders <= samples.written()["problems"].get(name, {}).keys()
        assert name == "INTERNAL" or complete, name


def test_bodies_tell_what_is_needed_and_admit_nothing_else():
    schemas = document()["components"]["schemas"]
    assert schemas["CreateTicketRequest"]["required"] == ["service"]
    assert list(schemas["CreateTicketRequest"]["properties"]) == ["service", "lane", "channel"]
    assert list(schemas["TransferTicketRequest"]["properties"]) == ["ticket", "service"]
    assert schemas["CallNextTicketRequest"]["properties"] == {}
    assert named("ApplyKecamatan")["requestBody"]["required"] is True
    assert named("CallNextTicket")["requestBody"]["required"] is False
    for name, schema in schemas.items():
        if name.endswith(("Request", "Input")):
            assert schema["additionalProperties"] is False, name


def test_an_answer_has_all_fields_but_absent_messages():
    ticket = document()["components"]["schemas"]["Ticket"]
    absent = ticket["properties"].keys() - set(ticket["required"])
    assert absent == {"forecast", "issuedAt", "calledAt", "startedAt", "closedAt", "returnBy"}


def test_enums_lose_their_prefix_and_values_that_are_never_sent():
    schemas = document()["components"]["schemas"]
    assert schemas["Counter.State"]["enum"] == ["OPEN", "CLOSED"]
    assert schemas["StopReason"]["enum"][0] == "UNSPECIFIED"
    assert schemas["CreateTicketRequest"]["properties"]["lane"]["enum"] == ["REGULAR", "PRIORITY"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("GetBoard", "application/json"),
        ("GetPolicy", "application/json"),
        ("ListEvents", "application/x-ndjson"),
        ("WatchBoard", "text/event-stream"),
        ("ListKecamatanStream", "text/event-stream"),
    ],
)
def test_bytes_and_streams_have_their_media_type(name, kind):
    assert list(named(name)["responses"]["200"]["content"]) == [kind]


def test_bytes_of_json_are_described_by_the_message_that_their_comment_links():
    content = named("GetBoard")["responses"]["200"]["content"]["application/json"]
    assert content["schema"] == {"$ref": "#/components/schemas/Board"}
    stream = named("WatchBoard")["responses"]["200"]["content"]["text/event-stream"]
    assert stream["schema"]["x-data"] == content["schema"]


def test_comments_are_found_by_full_name():
    found = comments.load()
    assert found.of("tunggu.queue.v1.Ticket.State.STATE_WAITING").text == "In the line."
    assert found.of("tunggu.queue.v1.QueueService.OpenCounter").section == "At the counter."
    assert found.of("tunggu.nothing").text == ""


def test_only_a_paragraph_that_begins_with_a_reason_lists_them():
    assert lists_reasons("TICKET_NOT_FOUND, WRONG_STATE.")
    assert not lists_reasons("WEB is open to everyone; else TICKET_NOT_FOUND.")


# --- as served ----------------------------------------------------------------------------------


def test_it_is_served_whole_and_not_twice(client):
    answer = client.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    told, own = answer.json(), Routes(compose.SERVICES)  # this gateway runs without the survey
    assert told == openapi.document(own, comments.load(), compose.DOCUMENTS, version("tunggu"))
    again = client.get("/openapi.json", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_page_names_every_operation_and_shape_without_script_or_foreign_host(client):
    answer = client.get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert not re.search(r"<script|<style|style=| on\w+=|src=|href=[\"']?http", answer.text)
    for item in client.get("/openapi.json").json()["paths"].values():
        for operation in item.values():
            assert f"id='{operation['operationId']}'" in answer.text
    targets = set(re.findall(r"id='([\w.]+)'", answer.text))
    assert set(re.findall(r"href='#([\w.]+)'", answer.text)) <= targets
    assert client.get("/docs.css").status_code == 200


def test_the_page_shows_texts_as_texts():
    info = {"title": "<b>", "version": "1", "summary": "a & b", "description": "<script>`x<y`"}
    bearer = {"securitySchemes": {"bearer": {"description": ""}}, "schemas": {}, "parameters": {}}
    shown = page({"info": info, "tags": [], "paths": {}, "components": bearer})
    assert "<h1>&lt;b&gt; 1</h1>" in shown
    assert "&lt;script&gt;<code>x&lt;y</code>" in shown


def test_refusals_by_the_gateway_itself_are_described(client):
    tickets = f"/v1/kecamatan/{CODE}/tickets"
    json = {"content-type": "application/json"}
    check(client.post(tickets, content=b"{", headers=json))
    check(client.post(tickets, json={"lanes": 1}))
    check(client.post(tickets, content=b"x", headers={"content-type": "text/plain"}))
    check(client.post(tickets, content=b" " * 70_000, headers=json))
    check(client.post(tickets, json={"service": "A"}, headers={"authorization": "Bearer"}))
    check(client.get(f"/v1/kecamatan/{CODE}/board?x=1"))
    check(client.get("/v1/tickets/" + "x" * 5000))
    check(client.get("/v1/tickets/%FF"))
