"""The hall's displays: what they report, what is kept of it and for how long, what is refused."""

import asyncio
import json

import pytest

from services.queue.displays import LIFE_MS, MOST, PAGES
from tests.queue.servicing import Who
from tunggu.queue.v1 import queue_pb2 as pb

PAGE, OTHER_PAGE = "5f0c2a91b7d34e6889cf0f3b20a7d1c4", "0f3a9c51d27be684"
VERSION = "3f1c0a77be42"


def films(*counts):
    """By place from 1: plays, and ten seconds each."""
    return [
        pb.FilmPlays(film=place, plays=plays, seconds=10 * plays)
        for place, plays in enumerate(counts, 1)
    ]


async def report(office, display="1", page=PAGE, plays=(), **fields):
    own = {"display": display, "page": page, "films": films(*plays), **fields}
    return await office.do("ReportDisplay", office.kiosk, **own)


def kept(office):
    """What Redis has, by display."""
    rows = office.redis.hgetall(office.key("displays"))
    return {name.decode(): json.loads(text) for name, text in rows.items()}


def plays_of(answer):
    return [(one.film, one.plays, one.seconds) for one in answer.films]


async def test_report_display_keeps_what_it_says_for_a_short_while_and_writes_no_event(office):
    await office.open("1")
    before = office.leaves()
    shown = {"day": before[0]["d"], "event": len(before) - 1, "live": True}
    answer = await report(office, plays=(3, 0), version=VERSION, **shown)
    assert (answer.kecamatan, answer.id) == (office.code, "1")
    assert answer.seen_at.ToMilliseconds() == kept(office)["1"]["at"]
    assert plays_of(answer) == [(1, 3, 30), (2, 0, 0)]
    said = kept(office)["1"]["shown"]
    assert said == {
        "day": before[0]["d"],
        "event": len(before) - 1,
        "version": VERSION,
        "live": True,
        "sound": False,
        "behind": 0,
    }
    assert office.leaves() == before
    assert 0 < office.redis.pttl(office.key("displays")) <= LIFE_MS


async def test_report_display_counts_a_play_once_however_often_and_late_a_report_comes(office):
    await report(office, plays=(1,))
    for _ in range(3):
        answer = await report(office, plays=(2, 1))
    assert plays_of(answer) == [(1, 2, 20), (2, 1, 10)]
    late = await report(office, plays=(1,))
    assert plays_of(late) == [(1, 2, 20), (2, 1, 10)]
    assert plays_of(await report(office, plays=(3, 1))) == [(1, 3, 30), (2, 1, 10)]


async def test_report_display_adds_up_the_pages_of_a_display_one_after_the_other_and_at_once(
    office,
):
    await report(office, plays=(5,))
    assert plays_of(await report(office, page=OTHER_PAGE)) == [(1, 5, 50)]
    assert plays_of(await report(office, page=OTHER_PAGE, plays=(1,))) == [(1, 6, 60)]
    assert plays_of(await report(office, plays=(6,))) == [(1, 7, 70)]
    both = [report(office, page=page, plays=(9,)) for page in (PAGE, OTHER_PAGE) for _ in range(3)]
    await asyncio.gather(*both)
    assert plays_of(await report(office)) == [(1, 18, 180)]


async def test_report_display_remembers_only_the_latest_pages_of_a_display(office):
    for turn in range(3 * PAGES):
        answer = await report(office, page=f"{turn:016}", plays=(2,))
    assert plays_of(answer) == [(1, 6 * PAGES, 60 * PAGES)]
    pages = kept(office)["1"]["pages"]
    assert len(pages) == PAGES
    assert f"{3 * PAGES - 1:016}" in pages


async def test_report_display_says_how_far_a_board_was_behind(office):
    await office.open("1")
    for _ in range(3):
        await office.take("A")
    day, last = office.last_leaf()["d"], len(office.leaves()) - 1
    for shown, behind in (
        ({"day": day, "event": last}, 0),
        ({"day": day, "event": last - 2}, 2),
        ({"day": day, "event": last + 5}, 0),
        ({"day": "2026-03-01", "event": 400}, last + 1),
    ):
        await report(office, **shown)
        assert kept(office)["1"]["shown"]["behind"] == behind
    await report(office, event=-1)
    assert "behind" not in kept(office)["1"]["shown"]


async def test_report_display_drops_a_display_that_has_been_silent_for_long(office):
    await report(office, "1", plays=(4,))
    silent = kept(office)["1"]
    silent["at"] -= LIFE_MS + 60_000
    office.redis.hset(office.key("displays"), "1", json.dumps(silent))
    await report(office, "2")
    assert set(kept(office)) == {"2"}
    assert plays_of(await report(office, "1", plays=(4,))) == [(1, 4, 40)]


async def test_report_display_refuses_more_displays_than_a_hall_has_until_one_is_gone(office):
    for n in range(MOST):
        await report(office, f"wall-{n}")
    said = await office.refused(
        "ReportDisplay", "TOO_MANY_DISPLAYS", office.kiosk, display="x", page=PAGE
    )
    assert said["most"] == str(MOST)
    await report(office, "wall-3")
    silent = kept(office)["wall-5"]
    silent["at"] -= LIFE_MS + 60_000
    office.redis.hset(office.key("displays"), "wall-5", json.dumps(silent))
    await report(office, "x")
    assert set(kept(office)) == {f"wall-{n}" for n in range(MOST) if n != 5} | {"x"}


BAD = {
    "display": [{"display": ""}, {"display": "123456789"}, {"display": "a b"}, {"display": "ä"}],
    "page": [{"page": ""}, {"page": "short"}, {"page": "x" * 65}, {"page": "x" * 20 + "|"}],
    "version": [{"version": "x" * 17}, {"version": "1.0"}],
    "day": [{"day": "today"}, {"day": "2026-13-01"}],
    "event": [{"event": -2}],
    "films[0].film": [{"films": [pb.FilmPlays(film=film)]} for film in (0, 65, -1)],
    "films[1].film": [{"films": [pb.FilmPlays(film=1)] * 2}],
    "films[0].plays": [{"films": [pb.FilmPlays(film=1, plays=plays)]} for plays in (-1, 1_000_001)],
    "films[0].seconds": [
        {"films": [pb.FilmPlays(film=1, seconds=seconds)]} for seconds in (-1, 100_000_001)
    ],
}


@pytest.mark.parametrize("field", BAD)
async def test_report_display_refuses_what_makes_no_sense_as_invalid_request(office, field):
    for wrong in BAD[field]:
        fields = {"display": "1", "page": PAGE} | wrong
        said = await office.refused("ReportDisplay", "INVALID_REQUEST", office.kiosk, **fields)
        assert said == {"field": field}


async def test_report_display_refuses_an_office_that_is_none_with_kecamatan_not_found(office):
    fields = {"display": "1", "page": PAGE}
    anywhere = Who("KIOSK", "*", "kiosk")
    for code in ("99.99.99", "makassar", ""):
        await office.refused(
            "ReportDisplay", "KECAMATAN_NOT_FOUND", anywhere, kecamatan=code, **fields
        )


async def test_report_display_refuses_everyone_but_the_office_s_own_kiosk(office):
    fields = {"display": "1", "page": PAGE}
    await office.refused("ReportDisplay", "UNAUTHENTICATED", **fields)
    for who in (office.officer, office.head, office.who("ADMIN")):
        await office.refused("ReportDisplay", "PERMISSION_DENIED", who, **fields)
    elsewhere = Who("KIOSK", "99.99.99", "kiosk")
    await office.refused("ReportDisplay", "OTHER_KECAMATAN", elsewhere, **fields)


async def test_report_display_of_two_replicas_is_one_account(office, replica):
    async with replica.channel() as channel:
        await report(office, plays=(2,))
        assert plays_of(await report(office.on(channel), plays=(3,))) == [(1, 3, 30)]
