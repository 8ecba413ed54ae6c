"""The gateway put together from its configuration."""

import asyncio
import logging

import grpc

from services.chassis.client import channel
from services.gateway import ops, pages
from services.gateway.api import Api, Calls
from services.gateway.app import Gateway
from services.gateway.batch import Batches, Limits, Send
from services.gateway.config import GatewayConfig
from services.gateway.origins import Origins
from services.gateway.routes import Routes
from services.gateway.server import Server, listen
from services.gateway.streams import Timing
from services.gateway.watching import Watching
from tunggu.queue.v1 import kecamatan_pb2, queue_pb2
from tunggu.queue.v1.queue_pb2 import BatchCreateTicketsRequest, BatchCreateTicketsResponse

SERVICES = (
    queue_pb2.DESCRIPTOR.services_by_name["QueueService"],
    kecamatan_pb2.DESCRIPTOR.services_by_name["KecamatanService"],
)
log = logging.getLogger(__name__)


def server(config: GatewayConfig, queue: grpc.aio.Channel, leaving: asyncio.Event) -> Server:
    """The server, not started; `queue` is the channel, `leaving` is set when it is told to end."""
    routes = Routes(SERVICES)
    calls = Calls(queue)
    timing = Timing(beat=config.heartbeat, stale=config.stale, linger=config.linger)
    watching = Watching(queue, calls, timing, config.backlog)
    watching.check(routes.all)
    api = Api(calls, Batches(_sender(calls), _limits(config)))
    fixed = pages.fixed() | ops.fixed(queue, leaving)
    app = Gateway(routes, api, watching, fixed, Origins(config.origins))
    return Server(app, config, leaving=leaving, drain=watching.drain)


def _limits(config: GatewayConfig) -> Limits:
    return Limits(config.batches, config.batch_size, config.most_waiting, config.deadline)


def _sender(calls: Calls) -> Send:
    rpc = SERVICES[0].methods_by_name["BatchCreateTickets"]

    async def send(
        request: BatchCreateTicketsRequest, seconds: float
    ) -> BatchCreateTicketsResponse:
        return await calls(rpc, request, seconds)  # type: ignore[no-any-return]

    return send


async def serve(config: GatewayConfig) -> None:
    """Serves HTTP until SIGTERM or SIGINT. ConfigError: the port is in use."""
    with listen(config.host, config.port) as listener:
        async with channel(config.queue) as queue:
            running = server(config, queue, asyncio.Event())
            log.info("serving", extra={"fields": {"port": listener.getsockname()[1]}})
            await running.serve(sockets=[listener])
