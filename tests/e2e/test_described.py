"""Every answer on a day's way through the real thing is one that the API's description knows."""

import json
import time

import pytest

from services.survey.ikm import UNSUR
from tests.e2e.hall import DAY, OFFICE, OTHER, opened
from tests.gateway.described import check, document, operation_of, operations, validator
from tests.notify.push_service import Browser

AT = f"/v1/kecamatan/{OFFICE}"


@pytest.fixture(scope="module")
def seen():
    """Operation ids with the statuses and reasons that were met."""
    return set()


@pytest.fixture(scope="module")
def hall(tmp_path_factory, seen):
    def checked(response):
        check(response)
        operation = operation_of(response.request.method, response.request.url.raw_path.decode())
        seen.add(operation["operationId"])

    with opened(tmp_path_factory.mktemp("described"), checked) as hall:
        yield hall


def reason(answer):
    return answer.json()["reason"]


def take(hall, service="A", **more):
    answer = hall.citizen.post(f"{AT}/tickets", json={"service": service}, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()["ticket"]


def act(hall, verb, counter="1", role="OFFICER", **body):
    return hall.as_(role).post(f"{AT}/counters/{counter}:{verb}", json=body)


def done(hall, verb, **body):
    """Until it is not too early any more."""
    for _ in range(200):
        answer = act(hall, verb, **body)
        if answer.status_code == 200:
            return answer.json()
        assert reason(answer) == "TOO_EARLY", answer.text
        time.sleep(0.05)
    raise AssertionError(f"{verb} stays too early")


def test_before_anyone_comes(hall):
    for path in ("/v1/kecamatan", AT, f"{AT}/board", f"{AT}/days/2026-03-01"):
        hall.citizen.get(path)
    assert hall.citizen.get(f"{AT}/board").json()["event"] in (-1, 0, 1)
    assert hall.as_("OFFICER").get(f"{AT}/counters/1").json()["state"] == "CLOSED"
    hall.as_("OFFICER").get(f"{AT}/counters/9")


def test_a_number_on_every_channel_and_all_its_refusals(hall):
    holder = {"Tunggu-Holder": "a-phone-of-a-citizen"}
    ticket = take(hall, headers=holder)
    again = hall.citizen.post(f"{AT}/tickets", json={"service": "A"}, headers=holder)
    assert (reason(again), again.json()["ticketId"]) == ("LIVE_TICKET_EXISTS", ticket["id"])
    kiosk = {"service": "A", "lane": "PRIORITY", "channel": "KIOSK"}
    assert hall.as_("KIOSK").post(f"{AT}/tickets", json=kiosk).status_code == 201
    assert reason(hall.citizen.post(f"{AT}/tickets", json=kiosk)) == "UNAUTHENTICATED"
    assert reason(hall.as_("OFFICER").post(f"{AT}/tickets", json=kiosk)) == "PERMISSION_DENIED"
    elsewhere = hall.as_("KIOSK", OTHER).post(f"{AT}/tickets", json=kiosk)
    assert reason(elsewhere) == "OTHER_KECAMATAN"
    desk = {"service": "C", "channel": "DESK"}
    assert reason(hall.as_("OFFICER").post(f"{AT}/tickets", json=desk)) == "CHANNEL_NOT_ADMITTED"
    take(hall, "C"), take(hall, "C")
    full = hall.citizen.post(f"{AT}/tickets", json={"service": "C"})
    assert (full.status_code, reason(full)) == (429, "QUOTA_EXHAUSTED")
    for body in ({"service": "Z"}, {"service": ""}, {"service": "A", "lane": "FAST"}):
        hall.citizen.post(f"{AT}/tickets", json=body)
    short = hall.citizen.post(
        f"{AT}/tickets", json={"service": "A"}, headers={"Idempotency-Key": "k"}
    )
    assert reason(short) == "REQUEST_ID_TOO_SHORT"


def test_what_a_holder_does(hall):
    path = f"/v1/tickets/{take(hall)['id']}"
    hall.citizen.get(path)
    assert hall.citizen.post(f"{path}:checkIn").json()["ticket"]["present"]
    assert reason(hall.citizen.post(f"{path}:checkIn")) == "ALREADY_PRESENT"
    assert reason(hall.citizen.post(f"{path}:return")) == "WRONG_STATE"
    cancelled = hall.citizen.post(f"{path}:cancel").json()["ticket"]
    assert "closedAt" in cancelled
    hall.citizen.get(path)
    nobody = "/v1/tickets/737103-260302-AAAAAAAAAAAAAAAAAAAAAA"
    for call in (hall.citizen.get(nobody), hall.citizen.post(f"{nobody}:cancel")):
        assert reason(call) == "TICKET_NOT_FOUND"


def test_a_counters_day(hall):
    for verb in ("callNext", "close"):
        assert reason(act(hall, verb)) == "COUNTER_CLOSED"
    act(hall, "open")
    called = act(hall, "callNext").json()["ticket"]["number"]
    assert reason(act(hall, "callNext")) == reason(act(hall, "close")) == "COUNTER_BUSY"
    assert reason(act(hall, "start", ticket="A099")) == "TICKET_NOT_FOUND"
    waiting = take(hall)["number"]
    assert reason(act(hall, "start", ticket=waiting)) == "TICKET_CHANGED"
    assert reason(act(hall, "hold", ticket=called)) == "WRONG_STATE"
    hall.as_("OFFICER").get(f"{AT}/counters/1")
    hall.citizen.get(f"{AT}/board")
    done(hall, "recall", ticket=called)
    done(hall, "recall", ticket=called)
    assert "returnBy" in done(hall, "skip", ticket=called)["ticket"]
    back = hall.as_("OFFICER").post(f"{AT}/tickets/{called}:return")
    assert back.json()["ticket"]["state"] == "WAITING"
    number = act(hall, "callNext").json()["ticket"]["number"]
    done(hall, "start", ticket=number)
    assert reason(act(hall, "transfer", ticket=number, service="A")) == "SAME_SERVICE"
    assert done(hall, "hold", ticket=number)["ticket"]["state"] == "ON_HOLD"
    hall.as_("OFFICER").post(f"{AT}/tickets/{number}:return")
    number = act(hall, "callNext").json()["ticket"]["number"]
    done(hall, "start", ticket=number)
    done(hall, "transfer", ticket=number, service="B")
    number = act(hall, "callNext").json()["ticket"]["number"]
    hall.as_("SUPERVISOR").post(f"{AT}/tickets/{number}:requeue")
    number = act(hall, "callNext").json()["ticket"]["number"]
    done(hall, "start", ticket=number)
    assert done(hall, "complete", ticket=number)["ticket"]["state"] == "COMPLETED"
    assert "lastCompleted" in hall.as_("OFFICER").get(f"{AT}/counters/1").json()
    services = {"services": ["A"]}
    assert reason(act(hall, "setServices", role="SUPERVISOR", **services)) == "COUNTER_OPEN"
    act(hall, "close")
    act(hall, "setServices", role="SUPERVISOR", **services)
    for verb in ("open", "close", "callNext", "setServices"):
        act(hall, verb, counter="none", role="SUPERVISOR", **services if "set" in verb else {})


def test_people_with_paper(hall):
    number = take(hall, "B")["number"]
    officer = hall.as_("OFFICER")
    officer.post(f"{AT}/tickets/{number}:setLane", json={"lane": "PRIORITY"})
    again = officer.post(f"{AT}/tickets/{number}:setLane", json={"lane": "PRIORITY"})
    assert reason(again) == "WRONG_STATE"
    hall.as_("KIOSK").post(f"{AT}/tickets/{number}:checkIn")
    officer.post(f"{AT}/tickets/{number}:cancel")
    for verb in ("cancel", "checkIn", "return", "requeue"):
        hall.as_("SUPERVISOR").post(f"{AT}/tickets/B999:{verb}")
        assert reason(hall.citizen.post(f"{AT}/tickets/{number}:{verb}")) == "UNAUTHENTICATED"


def test_how_it_was(hall):
    act(hall, "open", counter="2")
    waiting = take(hall)
    assert reason(answered(hall, waiting, "SATISFIED")) == "NOT_SERVED"
    assert reason(pressed(hall, "3")) == "NOTHING_COMPLETED"
    ticket = act(hall, "callNext", counter="2").json()["ticket"]["number"]
    while ticket != waiting["number"]:
        act(hall, "start", counter="2", ticket=ticket)
        act(hall, "complete", counter="2", ticket=ticket)
        ticket = act(hall, "callNext", counter="2").json()["ticket"]["number"]
    act(hall, "start", counter="2", ticket=ticket)
    act(hall, "complete", counter="2", ticket=ticket)
    unhappy = answered(hall, waiting, "NOT_SATISFIED", reasons=["WAITING", "COST"])
    assert unhappy.json()["response"]["reasons"] == ["WAITING", "COST"]
    assert reason(pressed(hall, "2")) == "ALREADY_ANSWERED"
    rated = {"ratings": dict.fromkeys(UNSUR, 3), "profile": {"sex": "FEMALE"}}
    path = f"/v1/tickets/{waiting['id']}/assessments"
    assert hall.citizen.post(path, json=rated).status_code == 201
    assert reason(hall.citizen.post(path, json=rated)) == "ALREADY_ANSWERED"
    hall.citizen.post(path, json={"ratings": {"cost": 5}})
    hall.citizen.get("/v1/questionnaire")


def answered(hall, ticket, answer, **more):
    path = f"/v1/tickets/{ticket['id']}/responses"
    return hall.citizen.post(path, json={"answer": answer, **more})


def pressed(hall, counter):
    return hall.as_("KIOSK").post(
        f"{AT}/counters/{counter}/responses", json={"answer": "SATISFIED"}
    )


@pytest.mark.parametrize(
    "path", ["satisfaction", "satisfaction.csv", "index", "index.csv", "report"]
)
def test_what_everyone_may_know_of_how_it_was(hall, path):
    assert hall.citizen.get(f"{AT}/{path}", params={"to": DAY}).status_code == 200
    for wrong in ({"from": "yesterday"}, {"from": DAY, "to": "2026-03-01"}, {"by": "HOUR"}):
        assert reason(hall.citizen.get(f"{AT}/{path}", params=wrong)) == "INVALID_REQUEST"
    elsewhere = hall.citizen.get(f"/v1/kecamatan/73.71.99/{path}")
    assert reason(elsewhere) == "KECAMATAN_NOT_FOUND"


def test_the_figures_of_the_head_of_the_office(hall):
    for path in ("figures", "figures.csv"):
        assert hall.as_("SUPERVISOR").get(f"{AT}/{path}").status_code == 200
        assert reason(hall.as_("OFFICER").get(f"{AT}/{path}")) == "PERMISSION_DENIED"


def test_the_hall(hall):
    kiosk, path = hall.as_("KIOSK"), f"{AT}/displays/2:report"
    films = [{"film": 1, "plays": 2, "seconds": 61}, {"film": 2}]
    said = {"page": "0f3a9c51d27be684", "day": DAY, "event": 3, "live": True, "films": films}
    for _ in range(2):
        answer = kiosk.post(path, json=said)
        assert answer.status_code == 200, answer.text
        display = answer.json()["display"]
        assert (display["kecamatan"], display["id"]) == (OFFICE, "2")
        assert display["films"] == [films[0], {"film": 2, "plays": 0, "seconds": 0}]
    for role, word in (("", "UNAUTHENTICATED"), ("OFFICER", "PERMISSION_DENIED")):
        assert reason(hall.as_(role).post(path, json=said)) == word
    elsewhere = hall.as_("KIOSK", OTHER)
    assert reason(elsewhere.post(path, json=said)) == "OTHER_KECAMATAN"
    nowhere = hall.as_("KIOSK", "*").post(path.replace(OFFICE, "73.71.99"), json=said)
    assert reason(nowhere) == "KECAMATAN_NOT_FOUND"
    for wrong in ({"page": "x"}, {"event": -2}, {"films": [{"film": 65}]}, {"day": "today"}):
        assert reason(kiosk.post(path, json=said | wrong)) == "INVALID_REQUEST"
    assert reason(kiosk.post(path, json=said | {"title": "x"})) == "UNKNOWN_FIELD"
    assert reason(kiosk.post(f"{AT}/displays/a%7Cb:report", json=said)) == "INVALID_REQUEST"
    for n in range(15):
        assert kiosk.post(f"{AT}/displays/wall-{n}:report", json=said).status_code == 200
    full = kiosk.post(f"{AT}/displays/17th:report", json=said)
    assert reason(full) == "TOO_MANY_DISPLAYS"
    assert "16" in full.json()["detail"]


def test_the_head_of_the_office(hall):
    head = hall.as_("SUPERVISOR")
    assert reason(head.post(f"{AT}:resumeIssuing")) == "NOT_STOPPED"
    assert head.post(f"{AT}:stopIssuing", json={"reason": "POWER"}).json()["issuing"]["stopped"]
    assert reason(head.post(f"{AT}:stopIssuing", json={"reason": "FULL"})) == "ALREADY_STOPPED"
    assert reason(hall.citizen.post(f"{AT}/tickets", json={"service": "A"})) == "ISSUING_STOPPED"
    assert hall.citizen.get(f"{AT}/board").json()["notice"] == "POWER"
    hall.citizen.get(AT), hall.citizen.get("/v1/kecamatan")
    assert not head.post(f"{AT}:resumeIssuing").json()["issuing"]["stopped"]
    page = head.get(f"{AT}/audit?pageSize=3").json()
    assert head.get(f"{AT}/audit", params={"pageToken": page["nextPageToken"]}).json()["entries"]
    for wrong in ("?pageSize=501", "?pageToken=x", "?from=1"):
        assert reason(head.get(f"{AT}/audit{wrong}")) == "INVALID_REQUEST"


def test_the_same_id_for_another_request(hall):
    key = {"Idempotency-Key": "k" * 22}
    take(hall, headers=key)
    other = hall.citizen.post(f"{AT}/tickets", json={"service": "B"}, headers=key)
    assert reason(other) == "REQUEST_ID_REUSED"


def test_what_everyone_may_see(hall):
    board = hall.citizen.get(f"{AT}/board")
    unchanged = hall.citizen.get(f"{AT}/board", headers={"If-None-Match": board.headers["etag"]})
    assert unchanged.status_code in (200, 304)
    assert hall.citizen.get(f"{AT}/days/{DAY}").json()["total"]["issued"] > 5
    leaves = hall.citizen.get(f"{AT}/days/{DAY}/events?after=-1&pageSize=3").text.splitlines()
    policy = json.loads(leaves[0])["pol"]
    document = hall.citizen.get(f"{AT}/policies/{policy}")
    same = hall.citizen.get(f"{AT}/policies/{policy}", headers={"If-None-Match": f'"{policy}"'})
    assert (document.status_code, same.status_code) == (200, 304)
    for path in ("days/monday", "days/2025-01-01/events", "days/2026-03-02/events?after=-2"):
        assert hall.citizen.get(f"{AT}/{path}").status_code in (400, 404)
    assert reason(hall.citizen.get(f"{AT}/policies/{'0' * 64}")) == "POLICY_NOT_FOUND"
    for path in ("", "/board", "/days/2026-03-02", "/days/2026-03-02/events"):
        hall.citizen.get(f"/v1/kecamatan/73.71.99{path}")
    for path in ("/audit", "/counters/1"):
        hall.as_("SUPERVISOR", "*").get(f"/v1/kecamatan/73.71.99{path}")


def first_event(client, path):
    """The name and data of a stream's first event."""
    with client.stream("GET", path) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        name = ""
        for line in answer.iter_lines():
            field, _, value = line.partition(": ")
            name = value if field == "event" else name
            if field == "data":
                return name, json.loads(value)
    raise AssertionError(f"{path} ended")


def test_streams_hold_what_the_description_says_of_their_data(hall, seen):
    ticket = f"/v1/streams/tickets/{take(hall)['id']}"
    office = f"/v1/streams{AT.removeprefix('/v1')}"
    for path in (f"{office}/board", f"{office}/satisfaction", ticket, "/v1/streams/city"):
        name, data = first_event(hall.citizen, path)
        operation = operation_of("GET", path)
        seen.add(operation["operationId"])
        medium = operation["responses"]["200"]["content"]["text/event-stream"]
        validator(medium["schema"]["x-data"]).validate(data)
        assert f"event: {name}\n" in medium["example"]
    assert hall.citizen.get(ticket.replace("260302", "260301")).status_code == 404


def test_being_told(hall):
    offers = hall.citizen.get("/v1/notify/channels").json()["channels"]
    assert [offer["channel"] for offer in offers] == ["WEB_PUSH", "LOG"]
    path = f"/v1/tickets/{take(hall)['id']}"
    push = {"endpoint": "http://127.0.0.1:9/push", "keys": Browser().keys}
    made = hall.citizen.post(f"{path}/subscriptions", json={"webPush": push})
    assert made.status_code == 201, made.text
    hall.citizen.get(f"{path}/deliveries")
    one = f"{path}/subscriptions/{made.json()['subscription']['id']}"
    assert hall.citizen.delete(one).status_code == 200
    assert reason(hall.citizen.delete(one)) == "SUBSCRIPTION_NOT_FOUND"
    outside = push | {"endpoint": "https://push.example.com/x"}
    for target, word in (
        ({"webPush": outside}, "TARGET_REFUSED"),
        ({"webPush": push | {"keys": {"p256dh": "x", "auth": "y"}}}, "INVALID_REQUEST"),
        ({"webhook": {"url": "https://sms.example.com/"}}, "CHANNEL_NOT_OFFERED"),
        ({}, "INVALID_REQUEST"),
    ):
        assert reason(hall.citizen.post(f"{path}/subscriptions", json=target)) == word
    assert reason(hall.citizen.post("/v1/whatsapp:webhook", json={})) == "CHANNEL_NOT_OFFERED"
    challenge = {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": "x"}
    asked = hall.citizen.get("/v1/whatsapp:webhook", params=challenge)
    assert reason(asked) == "CHANNEL_NOT_OFFERED"


def test_an_offices_webhooks(hall):
    head = hall.as_("SUPERVISOR")
    made = head.post(f"{AT}/webhooks", json={"url": "http://127.0.0.1:9/x", "description": "x"})
    assert made.status_code == 201, made.text
    one = f"{AT}/webhooks/{made.json()['webhook']['id']}"
    assert len(head.get(f"{AT}/webhooks").json()["webhooks"]) == 1
    assert head.post(f"{one}:resume").status_code == 200
    assert head.delete(one).json() == {}
    assert reason(head.delete(one)) == reason(head.post(f"{one}:resume")) == "WEBHOOK_NOT_FOUND"
    entries = head.get(f"{AT}/webhookAudit").json()["entries"]
    assert [entry["verb"][:6] for entry in entries] == ["Delete", "Resume", "Create"]
    outside = head.post(f"{AT}/webhooks", json={"url": "https://agency.example.com/"})
    assert reason(outside) == "TARGET_REFUSED"
    assert reason(hall.as_("OFFICER").get(f"{AT}/webhooks")) == "PERMISSION_DENIED"
    key = {"Idempotency-Key": "w" * 22}
    for url, status in (("http://127.0.0.1:9/a", 201), ("http://127.0.0.1:9/b", 409)):
        answer = head.post(f"{AT}/webhooks", json={"url": url}, headers=key)
        assert answer.status_code == status
    head.delete(f"{AT}/webhooks/{head.get(f'{AT}/webhooks').json()['webhooks'][0]['id']}")


def test_an_office_comes_and_goes(hall):
    admin = hall.as_("ADMIN", "*")
    assert hall.apply(OTHER).json()["kecamatan"]["code"] == OTHER
    assert reason(admin.put(f"/v1/kecamatan/{OTHER}", json={"kind": "Pod"})) == "INVALID_KECAMATAN"
    hall.citizen.post(f"/v1/kecamatan/{OTHER}/tickets", json={"service": "A"})
    path = f"/v1/kecamatan/{OTHER}"
    assert reason(hall.as_("SUPERVISOR").delete(path)) == "PERMISSION_DENIED"
    assert admin.delete(path).json() == {}
    assert hall.citizen.get(f"{path}/days/{DAY}").json()["closed"]
    gone = hall.citizen.get(f"{path}")
    assert reason(gone) == reason(admin.delete(path)) == "KECAMATAN_NOT_FOUND"


def test_nothing_that_is_described_was_left_out(seen):
    assert seen == {operation["operationId"] for _, _, operation in operations()}
    assert document()
