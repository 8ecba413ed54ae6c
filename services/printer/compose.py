"""The printing agent put together from its configuration."""

import asyncio
import logging
import signal
from functools import partial

from aiohttp import web

from services.chassis.config import ConfigError
from services.printer.app import application
from services.printer.config import PrinterConfig
from services.printer.door import Door
from services.printer.press import Press
from services.printer.receipt import Paper, receipt
from services.printer.wire import Way

HOST = "127.0.0.1"  # never another: whoever reaches the port could print
log = logging.getLogger(__name__)


async def serve(config: PrinterConfig, stop: asyncio.Event | None = None) -> None:
    """Prints until SIGTERM, SIGINT or `stop`; a slip under way is finished. ConfigError: the port
    is in use, there is no such profile or code page."""
    stop = stop or asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    press = pressed(config)
    runner = web.AppRunner(
        application(press, Door(config.origins)),
        access_log=None, shutdown_timeout=config.patience * 2,
    )  # fmt: skip
    await runner.setup()
    watching = asyncio.create_task(_watch(press, config.interval))
    try:
        await _listen(runner, config.port)
        await stop.wait()
    finally:
        watching.cancel()
        await runner.cleanup()


def pressed(config: PrinterConfig) -> Press:
    """A press of that printer. ConfigError."""
    paper = Paper(config.profile, config.code_page, config.width, config.dpi)
    paper.check()
    way = Way(config.address, config.printer, config.answer, config.patience)
    return Press(way, partial(receipt, paper=paper))


async def _listen(runner: web.AppRunner, port: int) -> None:
    try:
        await web.TCPSite(runner, HOST, port).start()
    except OSError as error:
        raise ConfigError(f"printer: cannot serve on {HOST}:{port}: {error}") from None
    log.info("serving", extra={"fields": {"port": runner.addresses[0][1]}})


async def _watch(press: Press, interval: float) -> None:
    """Looks at the printer for as long as the agent runs."""
    while True:
        await press.look()
        await asyncio.sleep(interval)
