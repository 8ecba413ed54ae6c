"""An office's journal reaches another agency whole and in order, whoever is killed meanwhile."""

import asyncio
import json

import pytest

from tests.e2e.notify_town import open_big_office, stack, until
from tests.e2e.survey_town import DAY, Desk
from tests.notify.agencies.agency import agency

pytestmark = pytest.mark.timeout(280)


def register(town, url):
    with Desk(town) as desk:
        body = {"url": url, "description": "Dukcapil", "fromDay": DAY}
        assert desk.post(f"{desk.office}/webhooks", body, "OFFICER").status_code == 403
        answer = desk.post(f"{desk.office}/webhooks", body, "SUPERVISOR")
        assert answer.status_code == 201, answer.text
        return answer.json()


def work(town, count):
    with Desk(town) as desk:
        for _ in range(count):
            desk.served()


def journal(town):
    """The day's leaves as anyone may read them."""
    with Desk(town) as desk:
        lines = []
        while page := desk.get(f"{desk.office}/days/{DAY}/events", after=len(lines) - 1).text:
            lines += page.splitlines()
        return lines


def listed(town):
    with Desk(town) as desk:
        (found,) = desk.get(f"{desk.office}/webhooks", "SUPERVISOR").json()["webhooks"]
        return found


async def test_every_event_arrives_in_order_though_notify_queue_and_redis_are_killed(tmp_path):
    async with agency() as dukcapil:
        with stack(tmp_path, replicas=2) as town:
            open_big_office(town)
            work(town, 3)
            made = await asyncio.to_thread(register, town, dukcapil.url)
            dukcapil.secret = made["secret"]
            await until(lambda: dukcapil.taken)
            for victim in ("notify", "notify-2", "redis", "queue-1"):
                working = asyncio.create_task(asyncio.to_thread(work, town, 4))
                if victim.startswith("notify"):
                    await asyncio.to_thread(town.kill, victim)
                    await working
                else:
                    await working
                    await asyncio.to_thread(town.kill, victim)
                await asyncio.to_thread(town.restart, victim)
            leaves = await asyncio.to_thread(journal, town)
            await until(lambda: len(dukcapil.places) >= len(leaves))
            shown = await asyncio.to_thread(listed, town)
    assert dukcapil.places == [(DAY, n) for n in range(len(leaves))]
    posted = [event for document in dukcapil.documents for event in document["data"]["events"]]
    first = {event["event"]: event["leaf"] for event in reversed(posted)}
    assert [first[n] for n in sorted(first)] == leaves, "the exact bytes"
    assert not [document for document in dukcapil.documents if "break" in document["data"]]
    assert (shown["state"], shown["serviceDay"]) == ("ACTIVE", DAY)
    assert shown["event"] == json.loads(leaves[-1])["n"]
    assert "secret" not in shown
