"""`make apply`: what is sent, and what is said of the answer."""

import json

import httpx
import pytest

from services.local import apply
from services.local.errors import LocalError

OFFICE = {"spec": {"code": "73.71.03", "name": "Makassar"}}
FILE = 'spec: {code: "73.71.03", name: Makassar}\n'


def answering(status, body, seen=None):
    def handle(request):
        if seen is not None:
            seen.append(request)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return httpx.Response(status, content=content)

    return httpx.Client(base_url="http://tunggu.test", transport=httpx.MockTransport(handle))


def applied(*, pending=False, open_=True, at="2026-03-02T15:59:59.123Z"):
    """Of 2 March, a moment before midnight in Makassar."""
    office = {"code": "73.71.03", "name": "Makassar", "changePending": pending, "open": open_}
    office |= {"timezone": "Asia/Makassar", "appliedAt": at, "serviceDay": "2026-03-02"}
    return {"kecamatan": office}


def test_the_whole_object_is_put_under_its_code():
    seen = []
    with answering(200, applied(), seen) as http:
        assert apply.apply(http, OFFICE) == "73.71.03 Makassar applied"
    (request,) = seen
    assert (request.method, request.url.path) == ("PUT", "/v1/kecamatan/73.71.03")
    assert json.loads(request.content) == OFFICE


def test_an_unknown_outcome_is_asked_for_again_with_the_same_id(monkeypatch):
    seen = []
    monkeypatch.setattr(apply, "_PAUSE", 0)

    def handle(request):
        seen.append(request.headers["Idempotency-Key"])
        if len(seen) < 3:
            return httpx.Response(503, json={"reason": "OUTCOME_UNKNOWN", "title": "Unknown"})
        return httpx.Response(200, json=applied())

    with httpx.Client(base_url="http://x", transport=httpx.MockTransport(handle)) as http:
        assert apply.apply(http, OFFICE) == "73.71.03 Makassar applied"
    assert len(seen) == 3
    assert len(set(seen)) == 1


def test_a_gateway_that_stays_unavailable_is_a_refusal_in_the_end(monkeypatch):
    monkeypatch.setattr(apply, "_PAUSE", 0)
    problem = {"reason": "REDIS_UNAVAILABLE", "title": "No store"}
    with (
        answering(503, problem) as http,
        pytest.raises(LocalError, match=r"refused: No store \(REDIS_UNAVAILABLE\)"),
    ):
        apply.apply(http, OFFICE)


def test_a_change_that_waits_for_the_next_day_is_said():
    with answering(200, applied(pending=True)) as http:
        assert apply.apply(http, OFFICE).endswith("waits for its next day")


@pytest.mark.parametrize(
    ("closed", "office", "said"),
    [
        (True, applied(open_=False), "; its day 2026-03-02 is closed: it opens on its next day"),
        (False, applied(open_=False), ""),
        (True, applied(open_=False, at="2026-03-02T16:00:00Z"), ""),
        (True, applied(), ""),
        (None, applied(open_=False), ""),
    ],
    ids=["closed", "before its hours", "of yesterday", "open", "unknown"],
)
def test_an_office_whose_day_is_over_is_said_to_open_on_its_next_one(closed, office, said):
    def handle(request):
        if request.method == "PUT":
            return httpx.Response(200, json=office)
        assert request.url.path == "/v1/kecamatan/73.71.03/days/2026-03-02"
        if closed is None:
            raise httpx.ConnectError("gone")
        return httpx.Response(200, json={"closed": closed})

    with httpx.Client(base_url="http://x", transport=httpx.MockTransport(handle)) as http:
        assert apply.apply(http, OFFICE) == f"73.71.03 Makassar applied{said}"


def test_a_refusal_names_field_and_reason_in_one_line():
    problem = {
        "title": "Kecamatan file refused",
        "reason": "INVALID_KECAMATAN",
        "detail": 'The Kecamatan file is refused at "spec.services[0].quota.web": must be small.',
        "field": "spec.services[0].quota.web",
    }
    with answering(400, problem) as http, pytest.raises(LocalError) as error:
        apply.apply(http, OFFICE)
    assert str(error.value) == (f"73.71.03 refused: {problem['detail']} (INVALID_KECAMATAN)")


def test_a_field_that_the_detail_leaves_out_is_named():
    problem = {"title": "Invalid", "reason": "INVALID_ARGUMENT", "field": "spec.name"}
    with (
        answering(400, problem) as http,
        pytest.raises(LocalError, match=r"refused: spec\.name: Inv"),
    ):
        apply.apply(http, OFFICE)


def test_a_refusal_says_why():
    problem = {
        "title": "Invalid request",
        "reason": "INVALID_REQUEST",
        "detail": 'The field "spec.name" cannot be accepted. Check its value.',
        "field": "spec.name",
        "why": "a string is expected",
    }
    with answering(400, problem) as http, pytest.raises(LocalError) as error:
        apply.apply(http, OFFICE)
    assert str(error.value).endswith("Check its value: a string is expected (INVALID_REQUEST)")


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b""])
def test_an_answer_that_is_no_problem_document_is_named_by_its_status(body):
    with answering(502, body) as http, pytest.raises(LocalError, match="refused: HTTP 502"):
        apply.apply(http, OFFICE)


def test_a_gateway_that_is_not_there_is_one_line_with_the_remedy():
    with (
        httpx.Client(base_url="http://127.0.0.1:9", trust_env=False) as http,
        pytest.raises(LocalError, match=r"no answer from http://127\.0\.0\.1:9.*is `make run` up"),
    ):
        apply.apply(http, OFFICE)


def test_the_command_stops_at_the_first_refusal_and_names_the_file(tmp_path, monkeypatch, capsys):
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(FILE)
    bad.write_text("spec: {}\n")
    (tmp_path / "admin").write_text("a token\n")
    seen = []
    monkeypatch.setattr(apply, "client", lambda url, token: answering(200, applied(), seen))
    said = apply.main(["--token-file", str(tmp_path / "admin"), *map(str, (good, bad, good))])
    assert said.startswith(f"apply: {bad}: spec.code must be")
    assert capsys.readouterr().out == "73.71.03 Makassar applied\n"
    assert len(seen) == 1


def test_the_token_comes_from_its_file_and_travels_as_a_bearer(tmp_path):
    with apply.client("http://127.0.0.1:9", "a-token") as http:
        assert http.headers["Authorization"] == "Bearer a-token"
    with apply.client("http://127.0.0.1:9") as http:
        assert "Authorization" not in http.headers


def test_without_a_token_file_the_command_says_what_to_start_and_to_give(tmp_path):
    said = apply.main(["--token-file", str(tmp_path / "admin"), "office.yaml"])
    assert "No such file" in said
    assert "is `make run` up? Its PORT=, HOST= and DATA= are to be given" in said


def test_the_command_goes_where_make_run_was_told_to_be(tmp_path, monkeypatch):
    (tmp_path / "tokens").mkdir()
    (tmp_path / "tokens" / "admin").write_text("a token\n")
    (tmp_path / "office.yaml").write_text(FILE)
    given = []
    monkeypatch.setattr(
        apply, "client", lambda *there: given.append(there) or answering(200, applied())
    )
    monkeypatch.setenv("TUNGGU_DATA", str(tmp_path))
    for host, port, url in (
        ("0.0.0.0", "8300", "http://127.0.0.1:8300"),
        ("::1", "8080", "http://[::1]:8080"),
    ):
        monkeypatch.setenv("TUNGGU_HOST", host)
        monkeypatch.setenv("TUNGGU_PORT", port)
        assert apply.main([str(tmp_path / "office.yaml")]) == ""
        assert given.pop() == (url, "a token")
