"""KecamatanService: files that come, change, go and come back."""

import pytest

from services.queue.kecamatan import DEFAULTS
from tests.queue.servicing import ADMIN, MONDAY, RULE, SERVICES, Office, Who, call, file_of
from tunggu.queue.v1 import kecamatan_pb2 as pb

BAD = Who("OFFICER", "*", "nobody")


def listed(answer, code):
    return next((line for line in answer.kecamatan if line.code == code), None)


# ApplyKecamatan ---------------------------------------------------------------------------------


async def test_apply_kecamatan_answers_the_office_as_the_public_sees_it(office):
    answer = await office.apply(
        address="Jalan Gunung Nona, Makassar",
        rule={"priorityAfter": 0, "hold": {"within": "60s"}},
        display={"runningText": [{"id": "Selamat datang", "en": "Welcome"}]},
        notify={"thresholds": [5, 2]},
        services=[{"code": "A", "name": "A", "standard": {"cost": "Rp 0"}}],
        counters=[{"id": "1", "services": ["A"]}],
    )
    assert (answer.code, answer.name) == (office.code, "Makassar")
    assert (answer.address, answer.timezone) == ("Jalan Gunung Nona, Makassar", "Asia/Makassar")
    assert (answer.open, answer.event, answer.service_day, answer.policy) == (False, -1, "", "")
    assert answer.services[0].standard.cost == "Rp 0"
    assert answer.display.running_text[0].en == "Welcome"
    assert list(answer.notify.thresholds) == [5, 2]
    assert [(i.open, i.close) for i in answer.hours_today] == [("00:00", "24:00")]
    rule, back = answer.rule, getattr(answer.rule, "return")
    assert (rule.priority_after, rule.hold.within.seconds) == (0, 60)  # what the file says
    assert (rule.skip.calls, rule.skip.after.seconds) == (3, 90)  # what it leaves out
    assert (back.after_calls, back.times, back.within.seconds) == (3, 1, 3600)
    assert (rule.hold.times, rule.transfers) == (2, DEFAULTS["transfers"])
    assert answer.applied_at.seconds
    assert not answer.change_pending
    assert office.audit()[-1]["v"] == "ApplyKecamatan"
    assert office.leaves() == []  # a file is no event of a day


async def test_apply_kecamatan_again_with_the_same_file_changes_nothing(office):
    await office.take("A")
    before = office.state()
    answer = await office.apply()
    assert office.state() == before
    assert not answer.change_pending


async def test_apply_kecamatan_before_the_day_opens_holds_for_that_day(office):
    await office.apply(services=[*SERVICES, {"code": "Z", "name": "Baru"}])
    assert (await office.take("Z")).number == "Z001"


async def test_apply_kecamatan_while_a_day_runs_waits_but_texts_do_not(office):
    await office.take("A")
    policy = (await office.do("GetKecamatan")).policy
    for spec in (
        {"rule": {**RULE, "transfers": 0}},
        {"services": [*SERVICES, {"code": "Z", "name": "Baru"}]},
        {"counters": [{"id": "1", "services": ["A"]}]},
        {"timezone": "Asia/Jakarta"},
    ):
        changed = await office.apply(**spec)
        assert (changed.change_pending, changed.policy) == (True, policy)
    texts = await office.apply(name="Makassar Kota", address="Jalan Baru")
    assert (texts.change_pending, texts.policy) == (False, policy)
    assert (texts.name, texts.address) == ("Makassar Kota", "Jalan Baru")
    assert listed(await office.do("ListKecamatan"), office.code).name == "Makassar Kota"
    assert office.leaves()[0]["pol"] == policy


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"code": "73.71.04"}, "spec.code"),
        ({"name": ""}, "spec.name"),
        ({"timezone": "Asia/Atlantis"}, "spec.timezone"),
        ({"hours": None}, "spec.hours"),
        ({"services": []}, "spec.services"),
        ({"counters": [{"id": "1", "services": ["Z"]}]}, "spec.counters[0].services"),
        ({"rule": {"skip": {"calls": 0}}}, "spec.rule.skip.calls"),
    ],
)
async def test_apply_kecamatan_refuses_a_file_and_names_the_field(office, spec, field):
    request = office.request("ApplyKecamatan", file=file_of(office.code, **spec))
    said = await office.refused_as("ApplyKecamatan", request, "INVALID_KECAMATAN", ADMIN)
    assert said["field"] == field
    assert said["why"]


async def test_apply_kecamatan_refuses_a_channel_that_does_not_exist(office):
    file = file_of(office.code)
    file.spec.services[1].channels.append(9)
    request = office.request("ApplyKecamatan", file=file)
    said = await office.refused_as("ApplyKecamatan", request, "INVALID_KECAMATAN", ADMIN)
    assert said["field"] == "spec.services[1].channels"


async def test_apply_kecamatan_refuses_no_file_another_code_and_everyone_but_admins(office):
    none = office.request("ApplyKecamatan")
    said = await office.refused_as("ApplyKecamatan", none, "INVALID_KECAMATAN", ADMIN)
    assert said["field"] == "apiVersion"
    other = pb.ApplyKecamatanRequest(kecamatan="x", file=file_of(office.code))
    await office.refused_as("ApplyKecamatan", other, "KECAMATAN_NOT_FOUND", ADMIN)
    good = office.request("ApplyKecamatan", file=file_of(office.code, name="Lain"))
    await office.refused_as("ApplyKecamatan", good, "PERMISSION_DENIED", BAD)
    await office.refused_as("ApplyKecamatan", good, "PERMISSION_DENIED", office.head)
    elsewhere = Who("ADMIN", "99.99.99", "ops")
    await office.refused_as("ApplyKecamatan", good, "OTHER_KECAMATAN", elsewhere)


# DeleteKecamatan --------------------------------------------------------------------------------


async def test_delete_kecamatan_closes_the_day_and_leaves_it_readable(office):
    waiting = await office.ticket_in("CALLED")
    await office.do("DeleteKecamatan", ADMIN)
    closed = office.last_leaf()
    assert (closed["e"], closed["tally"]["lapsed"]) == ("day.close", 1)
    assert listed(await office.do("ListKecamatan"), office.code) is None
    for rpc, who, fields in (
        ("GetKecamatan", None, {}),
        ("GetBoard", None, {}),
        ("CreateTicket", None, {"service": "A"}),
        ("OpenCounter", office.officer, {"counter": "1"}),
        ("ListAudit", office.head, {}),
    ):
        await office.refused(rpc, "KECAMATAN_NOT_FOUND", who, **fields)
    # Days, policies and tickets stay.
    assert len((await office.do("ListEvents", day=MONDAY)).body.splitlines()) == 6
    day = await office.do("GetDay", day=MONDAY)
    assert (day.closed, day.total.lapsed) == (True, 1)
    assert (await office.do("GetPolicy", hash=day.policy)).etag == day.policy
    shown = await office.do("GetTicket", ticket_id=waiting.id)
    assert shown.event == closed["n"]
    await office.apply()


async def test_delete_kecamatan_of_an_office_without_a_day_takes_it_off_the_list(office):
    await office.do("DeleteKecamatan", ADMIN)
    assert listed(await office.do("ListKecamatan"), office.code) is None
    assert office.leaves() == []
    await office.apply()


async def test_delete_kecamatan_refuses_offices_that_are_not_there_and_everyone_but_admins(office):
    other = pb.DeleteKecamatanRequest(kecamatan="99.99.99")
    await office.refused_as("DeleteKecamatan", other, "KECAMATAN_NOT_FOUND", ADMIN)
    await office.refused("DeleteKecamatan", "PERMISSION_DENIED", office.head)
    await office.do("DeleteKecamatan", ADMIN)
    await office.refused("DeleteKecamatan", "KECAMATAN_NOT_FOUND", ADMIN)
    await office.apply()


async def test_an_office_that_is_applied_again_is_back_with_its_past(office):
    await office.take("A")
    await office.do("DeleteKecamatan", ADMIN)
    answer = await office.apply()
    assert (answer.service_day, answer.open) == (MONDAY, False)
    assert listed(await office.do("ListKecamatan"), office.code)
    board = await office.board(3)
    assert (board["day"], board["open"]) == (MONDAY, False)


# GetKecamatan, ListKecamatan --------------------------------------------------------------------


async def test_get_kecamatan_shows_the_running_day(office):
    await office.ticket_in("COMPLETED")
    last = await office.take("A")
    shown = await office.do("GetKecamatan")
    assert (shown.open, shown.waiting, shown.completed_today) == (True, 1, 1)
    assert (shown.counters_open, shown.service_day, shown.event) == (1, MONDAY, last.event)
    assert shown.policy == office.leaves()[0]["pol"]
    assert shown.forecast.p90_seconds >= shown.forecast.p50_seconds > 0
    stopped = await office.do("StopIssuing", office.head, reason=1)
    await office.board(stopped.event)
    shown = await office.do("GetKecamatan")
    assert (shown.open, shown.notice) == (False, "POWER")


async def test_get_kecamatan_refuses_offices_that_are_not_there(office):
    for code in ("99.99.99", "", "x", "73.71.03\n"):
        request = pb.GetKecamatanRequest(kecamatan=code)
        await office.refused_as("GetKecamatan", request, "KECAMATAN_NOT_FOUND")


async def test_list_kecamatan_has_a_line_for_each_office_by_code(office):
    other = Office(office.channel, office.redis)
    await other.apply(name="Lain")
    await office.ticket_in("COMPLETED")
    last = await office.take("A")
    answer = await office.do("ListKecamatan")
    codes = [line.code for line in answer.kecamatan]
    assert codes == sorted(codes)
    here, there = listed(answer, office.code), listed(answer, other.code)
    assert (here.open, here.waiting, here.completed_today) == (True, 1, 1)
    assert (here.counters_open, here.service_day, here.event) == (1, MONDAY, last.event)
    assert here.HasField("forecast")
    assert (there.name, there.open, there.event, there.service_day) == ("Lain", False, -1, "")
    await other.do("DeleteKecamatan", ADMIN)


async def test_list_kecamatan_refuses_a_token_that_cannot_be_trusted(office):
    with pytest.raises(Exception, match="TOKEN_INVALID"):
        await call(office.channel, "ListKecamatan", pb.ListKecamatanRequest(), "Bearer x.y.z")
