"""A real browser subscribes, receives what we send, and decrypts it."""

import asyncio

import pytest

from services.notify import vapid
from services.notify.channels import ACCEPTED, Target, gone
from services.notify.channels.web_push import make
from services.notify.config import NotifyConfig
from tests.conftest import missing
from tests.notify.channels.messages import message
from tests.notify.firefox.autopush import NOT_DECRYPTED, READ, autopush
from tests.notify.firefox.firefox import COMMAND, PATIENCE_S, firefox
from tests.notify.push_service import Browser

SUBSCRIBE = """
const [key] = arguments_;
await navigator.serviceWorker.register("/sw-push.js");
const worker = await navigator.serviceWorker.ready;
const options = { userVisibleOnly: true, applicationServerKey: key };
return (await worker.pushManager.subscribe(options)).toJSON();
"""
UNSUBSCRIBE = """
const worker = await navigator.serviceWorker.ready;
return (await worker.pushManager.getSubscription()).unsubscribe();
"""


async def soon(queue):
    async with asyncio.timeout(PATIENCE_S):
        return await queue.get()


@pytest.mark.timeout(400)
async def test_firefox_receives_and_reads_what_is_pushed_and_unsubscribing_ends_it(tmp_path):
    if not COMMAND.exists():
        missing("the push test needs Debian's Firefox: make firefox")
    settings = NotifyConfig(
        env="development", loopback=True, contact="mailto:ops@city.example", vapid=vapid.made()
    )
    channel = make(settings)
    async with (
        autopush() as service,
        firefox(tmp_path, {"dom.push.serverURL": service.socket_url}) as browser,
    ):
        await browser.open(service.url)
        subscribed = await browser.run(SUBSCRIBE, channel.key())
        at = Target("web_push", subscribed["endpoint"], subscribed["keys"])
        await channel.check(at)

        assert await channel.send(at, message(title="Nomor A012 dipanggil")) == ACCEPTED
        assert await soon(service.shown) == {
            "id": "msg_0123456789abcdef",
            "kind": "CALLED",
            "title": "Nomor A012 dipanggil",
            "body": "Silakan menuju loket 3.",
            "url": "/t/737103-260302-AAAAAAAAAAAAAAAAAAAAAA",
            "language": "id",
        }
        assert await soon(service.acks) == READ

        other = Target("web_push", at.address, Browser().keys)  # not this browser's keys
        assert await channel.send(other, message()) == ACCEPTED
        assert await soon(service.acks) == NOT_DECRYPTED
        assert service.shown.empty()

        assert await browser.run(UNSUBSCRIBE) is True
        async with asyncio.timeout(PATIENCE_S):
            while await channel.send(at, message()) != gone("GONE"):
                await asyncio.sleep(0.1)
    await channel.close()
