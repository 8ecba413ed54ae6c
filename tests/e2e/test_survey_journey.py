"""From a served citizen's answer to the camat's figures, over HTTP and real processes."""

import asyncio
import json
import random
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import httpx
import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from services.redis_link.link import redis_connection
from services.survey.ikm import UNSUR
from services.survey.model import Answer, answer_cells
from services.survey.periods import dates
from services.survey.store import Store
from tests.e2e.survey_town import CODE, DAY, NEXT, Desk, open_office, stack
from tests.survey.served import queue_day, ticket

pytestmark = pytest.mark.timeout(240)

RATINGS = dict.fromkeys(UNSUR, 3)
TOGETHER = 40  # requests on their way at once


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    with stack(tmp_path_factory.mktemp("survey")) as started:
        open_office(started)
        yield started


@pytest.fixture
def desk(town):
    """With counter 1 open."""
    with Desk(town) as desk:
        desk.at("1", "open")
        yield desk


def reason(answer):
    return answer.status_code, answer.json()["reason"]


def counted(desk, **params):
    return desk.satisfaction(**params)["total"]


def survey_keys(stack):
    with Redis(unix_socket_path=str(stack.redis_socket)) as redis:
        return {key.decode() for key in redis.scan_iter("*:survey:*")}


# --- the journey ---------------------------------------------------------------


def test_a_holder_answers_changes_the_answer_and_it_counts_once(desk):
    before, ticket = counted(desk), desk.served("A")
    first = desk.answer(ticket, "NOT_SATISFIED", reasons=["WAITING", "COST"])
    assert first.status_code == 201
    shown = first.json()["response"]
    assert (shown["number"], shown["service"]) == (ticket["number"], "A")
    assert shown["reasons"] == ["WAITING", "COST"]
    assert shown["answeredAt"] < shown["changeUntil"]
    assert desk.answer(ticket, "VERY_SATISFIED").json()["response"]["answer"] == "VERY_SATISFIED"
    after = counted(desk)
    assert after["answers"] == before["answers"] + 1
    assert after["completed"] == before["completed"] + 1
    assert after["verySatisfied"]["count"] == before["verySatisfied"]["count"] + 1
    assert after["reasons"] == before["reasons"]
    assert after["responseRate"] == round(after["answers"] / after["completed"], 4)


def test_the_tablet_at_a_counter_answers_for_the_ticket_just_completed_there(desk):
    ticket = desk.served("B")
    pressed = desk.press("1", "SATISFIED", ticket=ticket["number"])
    assert pressed.status_code == 201
    shown = pressed.json()["response"]
    assert (shown["number"], shown["service"]) == (ticket["number"], "B")
    assert "changeUntil" not in shown
    assert reason(desk.press("1", "SATISFIED")) == (409, "ALREADY_ANSWERED")
    assert reason(desk.answer(ticket, "NOT_SATISFIED")) == (409, "ALREADY_ANSWERED")


def test_a_repetition_with_its_key_is_the_same_answer_even_after_the_next_citizen(desk):
    desk.served()
    before = counted(desk)["answers"]
    once = desk.press("1", "SATISFIED", key="one-press-of-one-finger")
    desk.served()
    again = desk.press("1", "SATISFIED", key="one-press-of-one-finger")
    assert again.json() == once.json()
    assert counted(desk)["answers"] == before + 1
    other = desk.press("1", "NOT_SATISFIED", key="one-press-of-one-finger")
    assert reason(other) == (409, "REQUEST_ID_REUSED")


def test_a_days_figures_come_by_service_and_a_counter_of_few_answers_stays_hidden(desk):
    desk.at("2", "open")
    for _ in range(3):
        desk.served("A", counter="2")
        desk.press("2", "SATISFIED")
    shown = desk.satisfaction(by=["SERVICE", "COUNTER"])
    assert shown["name"] == "Kepuasan Cepat"
    (day,) = shown["days"]
    assert (day["serviceDay"], day["closed"]) == (DAY, False)
    services = {each["service"]: each["total"] for each in day["services"]}
    assert sum(each["answers"] for each in services.values()) == day["total"]["answers"]
    assert "2" not in [each["counter"] for each in day["counters"]]
    assert not day["total"]["enoughAnswers"]
    assert desk.satisfaction()["days"][0]["services"] == []


def test_a_stream_shows_the_day_and_then_each_change(desk):
    desk.served()
    path = f"/v1/streams/kecamatan/{CODE}/satisfaction"
    with desk.http.stream("GET", path) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.iter_lines()
        first = next_event(lines)
        assert first["days"][0]["serviceDay"] == DAY
        desk.press("1", "NOT_SATISFIED", reasons=["PLACE"])
        while (now := next_event(lines))["total"]["answers"] == first["total"]["answers"]:
            pass
    assert now["total"]["answers"] == first["total"]["answers"] + 1
    assert now == desk.satisfaction()


def next_event(lines):
    """The data of the next `satisfaction` event."""
    while next(lines) != "event: satisfaction":
        pass
    assert re.fullmatch(rf"id: {DAY}/[0-9a-f]+", next(lines))
    return json.loads(next(lines).removeprefix("data: "))


def test_the_questionnaire_is_answered_for_a_served_ticket_and_makes_an_index(desk):
    asked = desk.get("/v1/questionnaire").json()
    assert [question["code"] for question in asked["questions"]] == [f"U{n}" for n in range(1, 10)]
    profile = {"sex": "FEMALE", "education": "SMA"}
    for _ in range(5):
        ticket = desk.served("C")
        body = {"ratings": RATINGS, "profile": profile}
        taken = desk.post(f"/v1/tickets/{ticket['id']}/assessments", body)
        assert taken.status_code == 201
        assert taken.json()["assessment"]["number"] == ticket["number"]
    again = desk.post(f"/v1/tickets/{ticket['id']}/assessments", {"ratings": RATINGS})
    assert reason(again) == (409, "ALREADY_ANSWERED")
    index = desk.get(f"{desk.office}/index").json()
    assert index["name"] == "Indeks Kepuasan Masyarakat (IKM)"
    assert (index["total"]["value"], index["total"]["band"]) == (75.0, "C")
    assert index["sample"]["respondents"] == 5
    assert {"field": "education", "value": "SMA", "count": 5} in index["profile"]
    assert "IKM,,5,,,,,,75.00,C" in desk.get(f"{desk.office}/index.csv").text


def test_the_camat_reads_waits_and_answers_together_and_nobody_else_does(desk):
    desk.answer(desk.served("D"), "SATISFIED")
    answer = desk.get(f"{desk.office}/figures", "SUPERVISOR")
    figures = answer.raise_for_status().json()
    assert (figures["period"]["from"], figures["compared"]["to"]) == (DAY, "2026-03-01")
    (service,) = [each for each in figures["period"]["services"] if each["service"] == "D"]
    total = service["total"]
    assert (total["issued"], total["completed"], total["answers"]["answers"]) == (1, 1, 1)
    assert [hour["hour"] for hour in service["hours"]] == [10]
    assert service["hours"][0]["figures"]["answers"]["satisfied"]["count"] == 1
    assert figures["change"]["issued"] == figures["period"]["total"]["issued"]
    assert reason(desk.get(f"{desk.office}/figures")) == (401, "UNAUTHENTICATED")
    assert reason(desk.get(f"{desk.office}/figures", "OFFICER")) == (403, "PERMISSION_DENIED")
    with Desk(desk.stack, "73.71.09") as other:
        refusal = other.get(f"{desk.office}/figures.csv", "SUPERVISOR")
    assert reason(refusal) == (403, "OTHER_KECAMATAN")


def test_tables_are_saved_under_their_names_and_the_report_may_run_nothing(desk):
    for path, role, name in (
        ("satisfaction.csv", "", "kepuasan-cepat"),
        ("figures.csv", "SUPERVISOR", "kinerja"),
        ("index.csv", "", "ikm"),
    ):
        table = desk.get(f"{desk.office}/{path}", role, **{"from": DAY, "to": DAY})
        assert table.headers["content-type"] == "text/csv; charset=utf-8"
        kept = f'attachment; filename="{name}_{CODE}_{DAY}_{DAY}.csv"'
        assert table.headers["content-disposition"] == kept
    page = desk.get(f"{desk.office}/report")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "Laporan Kepuasan Kecamatan Makassar" in page.text


# --- refusals --------------------------------------------------------------------


def test_a_ticket_that_was_not_served_is_not_answered_for(desk):
    waiting = desk.take()
    refusal = desk.answer(waiting, "SATISFIED")
    assert reason(refusal) == (409, "NOT_SERVED")
    assert "menunggu" in refusal.json()["detail"]
    form = desk.post(f"/v1/tickets/{waiting['id']}/assessments", {"ratings": RATINGS})
    assert reason(form) == (409, "NOT_SERVED")
    assert desk.serve() == waiting["number"]
    assert desk.answer(waiting, "SATISFIED").status_code == 201


def test_a_ticket_that_nobody_holds_is_not_found(desk):
    foreign = f"737103-{DAY[2:].replace('-', '')}-{'x' * 22}"
    assert reason(desk.answer(foreign, "SATISFIED")) == (404, "TICKET_NOT_FOUND")
    assert reason(desk.answer("nonsense", "SATISFIED")) == (404, "TICKET_NOT_FOUND")


def test_officers_and_supervisors_answer_for_nobody(desk):
    ticket = desk.served()
    before = counted(desk)["answers"]
    for role in ("OFFICER", "SUPERVISOR", "ADMIN"):
        assert reason(desk.press("1", "VERY_SATISFIED", role)) == (403, "PERMISSION_DENIED")
        path = f"/v1/tickets/{ticket['id']}/responses"
        by_id = desk.post(path, {"answer": "VERY_SATISFIED"}, role)
        assert reason(by_id) == (403, "PERMISSION_DENIED")
    assert reason(desk.press("1", "VERY_SATISFIED", "")) == (401, "UNAUTHENTICATED")
    assert counted(desk)["answers"] == before


def test_a_tablet_of_another_office_is_refused(desk):
    desk.served()
    with Desk(desk.stack, "73.71.09") as other:
        path = f"{desk.office}/counters/1/responses"
        refusal = other.post(path, {"answer": "SATISFIED"}, "KIOSK")
    assert reason(refusal) == (403, "OTHER_KECAMATAN")


def test_a_tablet_where_nobody_was_served_or_that_shows_another_number_is_refused(desk):
    assert reason(desk.press("4", "SATISFIED")) == (409, "NOTHING_COMPLETED")
    assert reason(desk.press("77", "SATISFIED")) == (404, "COUNTER_NOT_FOUND")
    shown = desk.served()["number"]
    desk.served()
    assert reason(desk.press("1", "SATISFIED", ticket=shown)) == (409, "TICKET_CHANGED")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "answer"),
        ({"answer": "UNSPECIFIED"}, "answer"),
        ({"answer": "SPLENDID"}, "answer"),
        ({"answer": 2}, "answer"),
        ({"answer": "SATISFIED", "reasons": ["COST"]}, "reasons"),
        ({"answer": "NOT_SATISFIED", "reasons": ["COST", "COST"]}, "reasons"),
        ({"answer": "NOT_SATISFIED", "reasons": ["UNSPECIFIED"]}, "reasons"),
        ({"answer": "SATISFIED", "counter": "1"}, "counter"),
        ({"answer": "SATISFIED", "kecamatan": CODE}, "kecamatan"),
        ({"answer": "SATISFIED", "ticket": "A001"}, "ticket"),
    ],
)
def test_an_answer_that_makes_no_sense_names_the_field(desk, body, field):
    ticket = desk.served()
    refusal = desk.post(f"/v1/tickets/{ticket['id']}/responses", body)
    assert reason(refusal) == (400, "INVALID_REQUEST")
    assert field in refusal.text


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"ratings": {**RATINGS, "cost": 5}}, "ratings.cost"),
        ({"ratings": {"cost": 4}}, "ratings.requirements"),
        ({"ratings": RATINGS, "profile": {"sex": "NO"}}, "profile.sex"),
    ],
)
def test_a_questionnaire_that_makes_no_sense_names_the_field(desk, change, field):
    refusal = desk.post(f"/v1/tickets/{desk.served()['id']}/assessments", change)
    assert reason(refusal) == (400, "INVALID_REQUEST")
    assert field in refusal.text


@pytest.mark.parametrize(
    "params",
    [
        {"from": "2026-13-01"}, {"to": "yesterday"}, {"from": "2026-03-03", "to": DAY},
        {"from": "2024-01-01", "to": DAY}, {"by": "OFFICER"}, {"by": "UNSPECIFIED"},
    ],
)  # fmt: skip
def test_a_period_that_makes_no_sense_is_refused(desk, params):
    assert reason(desk.get(f"{desk.office}/satisfaction", **params)) == (400, "INVALID_REQUEST")


def test_an_unknown_office_is_not_found(desk):
    for path in ("satisfaction", "index", "report", "satisfaction.csv"):
        found = desk.get(f"/v1/kecamatan/73.71.99/{path}", **{"from": DAY, "to": DAY})
        assert reason(found) == (404, "KECAMATAN_NOT_FOUND")


def test_minutes_are_the_queues_a_change_after_five_and_a_tablet_after_ten_come_too_late(tmp_path):
    with stack(tmp_path, speed=300.0) as fast:  # a domain minute in 0.2 s
        open_office(fast)
        with Desk(fast) as desk:
            desk.at("1", "open")
            ticket = desk.served()
            assert desk.answer(ticket, "SATISFIED").status_code == 201
            while (changed := desk.answer(ticket, "SATISFIED")).status_code == 201:
                time.sleep(0.05)
            assert reason(changed) == (409, "ALREADY_ANSWERED")
            desk.served()
            time.sleep(10 * 60 / 300)
            assert reason(desk.press("1", "SATISFIED")) == (409, "ANSWER_TOO_LATE")
            assert counted(desk)["answers"] == 1


# --- races, days, kills ------------------------------------------------------------


async def test_of_a_thousand_answers_to_one_ticket_at_once_one_counts(desk):
    ticket = desk.served()
    before = counted(desk)["answers"]
    path = f"/v1/tickets/{ticket['id']}/responses"
    limits = httpx.Limits(max_connections=TOGETHER)
    async with httpx.AsyncClient(
        base_url=desk.stack.url, trust_env=False, timeout=60, limits=limits
    ) as http:
        buttons = random.Random(1).choices(["VERY_SATISFIED", "SATISFIED", "NOT_SATISFIED"], k=1000)
        outcomes = await asyncio.gather(*(http.post(path, json={"answer": b}) for b in buttons))
    assert {outcome.status_code for outcome in outcomes} == {201}
    after = counted(desk)
    assert after["answers"] == before + 1
    buttons = [after[name]["count"] for name in ("verySatisfied", "satisfied", "notSatisfied")]
    assert sum(buttons) == after["answers"]


def test_when_its_day_is_over_a_ticket_and_its_answer_have_nothing_in_common(tmp_path):
    with stack(tmp_path) as today:
        open_office(today)
        with Desk(today) as desk:
            desk.at("1", "open")
            tickets = [desk.served("A") for _ in range(7)]
            for ticket in tickets[:6]:
                desk.answer(ticket, "NOT_SATISFIED", reasons=["OFFICER"])
            path = f"/v1/tickets/{tickets[0]['id']}/assessments"
            desk.post(path, {"ratings": RATINGS}).raise_for_status()
            shown = desk.satisfaction(by=["SERVICE", "COUNTER"])
        links = {f"tunggu:{{{CODE}}}:survey:20260302:{x}" for x in ("answers", "requests")}
        assert links <= survey_keys(today)
    with stack(tmp_path, days=1) as tomorrow, Desk(tomorrow) as desk:
        desk.at("1", "open")
        while f"tunggu:{{{CODE}}}:survey:days" not in survey_keys(tomorrow):
            desk.get(f"{desk.office}/satisfaction")
        assert not [key for key in survey_keys(tomorrow) if "20260302" in key]
        assert reason(desk.answer(tickets[6], "SATISFIED")) == (409, "ANSWER_TOO_LATE")
        assert reason(desk.answer(tickets[0], "SATISFIED")) == (409, "ANSWER_TOO_LATE")
        form = desk.post(f"/v1/tickets/{tickets[6]['id']}/assessments", {"ratings": RATINGS})
        assert reason(form) == (409, "ANSWER_TOO_LATE")
        desk.answer(desk.served("A"), "SATISFIED")
        both = desk.satisfaction(**{"from": DAY, "to": NEXT, "by": ["SERVICE", "COUNTER"]})
        closed, running = both["days"]
        assert closed == {**shown["days"][0], "closed": True}
        assert (closed["total"]["answers"], closed["total"]["completed"]) == (6, 7)
        assert closed["counters"][0]["counter"] == "1"
        assert (running["serviceDay"], running["total"]["answers"]) == (NEXT, 1)
        assert both["total"]["answers"] == 7
        figures = desk.get(f"{desk.office}/figures", "SUPERVISOR").json()
        assert figures["compared"]["total"]["completed"] == 7
        assert figures["change"]["favourable"] == 1.0


class Phones:
    """Answers for tickets, each repeated with its key until it is taken."""

    def __init__(self, town, tickets):
        self.url = town.url
        self.tickets = tickets
        self.taken = 0
        self.unanswered = 0
        self._lock = threading.Lock()

    def answer(self, ticket):
        number = int(ticket["number"][1:])
        button = ("VERY_SATISFIED", "SATISFIED", "NOT_SATISFIED")[number % 3]
        headers = {"Idempotency-Key": f"phone-of-{ticket['id']}"}
        with httpx.Client(base_url=self.url, trust_env=False, timeout=10) as http:
            while True:
                path = f"/v1/tickets/{ticket['id']}/responses"
                try:
                    status = http.post(path, json={"answer": button}, headers=headers).status_code
                except httpx.TransportError:
                    status = 503
                with self._lock:
                    self.taken += status == 201
                    self.unanswered += status >= 500
                if status < 500:
                    assert status == 201
                    return

    def wait(self, count):
        while self.taken < count:
            time.sleep(0.001)


def test_whoever_is_killed_each_acknowledged_answer_counts_and_counts_once(tmp_path):
    with stack(tmp_path) as town:
        open_office(town)
        with Desk(town) as desk:
            desk.at("1", "open")
            tickets = [desk.served("A") for _ in range(80)]
            phones = Phones(town, tickets)
            with ThreadPoolExecutor(4) as pool:
                done = [pool.submit(phones.answer, ticket) for ticket in tickets]
                for count, victim in ((10, "survey"), (25, "redis"), (40, "queue-1")):
                    phones.wait(count)
                    town.kill(victim)
                    town.restart(victim)
                for each in done:
                    each.result()
            print(f"\n{phones.unanswered} requests without an answer were repeated")
            town.kill_all()
            town.restart_all()
            total = counted(desk)
    assert (total["answers"], total["completed"]) == (80, 80)
    buttons = ("verySatisfied", "satisfied", "notSatisfied")
    assert [total[name]["count"] for name in buttons] == [26, 27, 27]


def test_while_the_queue_is_away_closed_days_and_counts_can_still_be_read(tmp_path):
    with stack(tmp_path) as town:
        open_office(town)
        with Desk(town) as desk:
            desk.at("1", "open")
            ticket = desk.served()
            desk.answer(ticket, "SATISFIED").raise_for_status()
            town.kill("queue-1")
            total = counted(desk, **{"from": DAY, "to": DAY})
            assert total["answers"] == 1
            assert "completed" not in total or total["completed"] == 1
            refusal = desk.answer(ticket, "NOT_SATISFIED")
            assert refusal.status_code in (503, 504)


# --- a year -------------------------------------------------------------------------


async def fill_year(town):
    """A closed day for each date of a year: 5 services, 8 hours, 8 counters, 300 answers."""
    client = AsyncRedis(unix_socket_path=str(town.redis_socket))
    link, chance = redis_connection(f"unix://{quote(str(town.redis_socket))}"), random.Random(7)
    store = Store(link)
    days = dates("2025-03-01", "2026-03-01")
    pipeline = client.pipeline(transaction=False)
    for day in days:
        cells: dict[str, int] = {}
        for _ in range(300):
            served = ticket(
                service=chance.choice("ABCDE"), counter=chance.choice("12345678"),
                hour=chance.randrange(8, 16),
            )  # fmt: skip
            for cell in answer_cells(chance.choice(list(Answer)), [], served):
                cells[cell] = cells.get(cell, 0) + 1
        name = f"tunggu:{{{CODE}}}:survey:{day.replace('-', '')}:counts"
        pipeline.hset(name, mapping=cells)
    await pipeline.execute()
    for day in days:
        await store.close_day(CODE, day, queue_day(400))
    await client.aclose()
    await link.aclose()
    return days


def service_times(log):
    """Milliseconds by method, in order, as the survey has logged them."""
    found: dict[str, list[float]] = {}
    for line in log.read_text().splitlines():
        entry = json.loads(line)
        if "ms" in entry:
            found.setdefault(entry["method"].rpartition("/")[2], []).append(entry["ms"])
    return found


async def test_a_year_of_days_is_read_in_one_request(tmp_path):
    with stack(tmp_path) as town:
        open_office(town)
        days = await fill_year(town)
        ends = {"from": days[0], "to": days[-1]}
        with Desk(town) as desk:
            desk.at("1", "open")
            for _ in range(5):
                shown = desk.satisfaction(**ends)
                figures = desk.get(f"{desk.office}/figures", "SUPERVISOR", **ends).json()
            table = desk.get(f"{desk.office}/figures.csv", "SUPERVISOR", **ends).text
        times = service_times(tmp_path / "logs" / "survey.log")
    assert len(shown["days"]) == 366
    assert (shown["total"]["answers"], shown["total"]["completed"]) == (366 * 300, 366 * 400)
    assert figures["period"]["serviceDays"] == 366
    assert table.count("\r\n") == 1 + 366 * 3
    for method in ("GetSatisfaction", "GetFigures", "ExportFigures"):
        print(f"\n{method} of 366 days: {times[method]} ms of service time", end="")
