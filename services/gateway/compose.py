"""The gateway put together from its configuration."""

import asyncio
import logging
import time
from importlib.metadata import version

import grpc

from services.chassis.access import Keys, Verifier
from services.chassis.client import channel
from services.gateway import openapi, ops
from services.gateway.admission import Admission
from services.gateway.api import Api, Calls
from services.gateway.app import Gateway
from services.gateway.badges import Badges
from services.gateway.batch import Batches, Limits, Send
from services.gateway.config import GatewayConfig
from services.gateway.origins import Origins
from services.gateway.pages import pages
from services.gateway.places import Places
from services.gateway.routes import Routes
from services.gateway.server import Server, listen
from services.gateway.streams import Fanout, Timing
from services.gateway.ticket_page import Tickets
from services.gateway.watching import Watching
from tunggu.notify.v1 import notify_pb2, webhooks_pb2, whatsapp_pb2
from tunggu.queue.v1 import documents_pb2, kecamatan_pb2, queue_pb2
from tunggu.queue.v1.queue_pb2 import BatchCreateTicketsRequest, BatchCreateTicketsResponse
from tunggu.queue.v1.ticket_pb2 import Ticket
from tunggu.survey.v1 import figures_pb2, index_pb2, survey_pb2

SERVICES = (
    queue_pb2.DESCRIPTOR.services_by_name["QueueService"],
    kecamatan_pb2.DESCRIPTOR.services_by_name["KecamatanService"],
)
DOCUMENTS = tuple(documents_pb2.DESCRIPTOR.message_types_by_name.values())
SURVEY = (
    survey_pb2.DESCRIPTOR.services_by_name["SurveyService"],
    index_pb2.DESCRIPTOR.services_by_name["IndexService"],
    figures_pb2.DESCRIPTOR.services_by_name["FiguresService"],
)
NOTIFY = (
    notify_pb2.DESCRIPTOR.services_by_name["NotifyService"],
    webhooks_pb2.DESCRIPTOR.services_by_name["WebhookService"],
    whatsapp_pb2.DESCRIPTOR.services_by_name["WhatsAppService"],
)
BIG = 16 * 1024 * 1024  # bytes of a table of a year
log = logging.getLogger(__name__)


def server(
    config: GatewayConfig,
    queue: grpc.aio.Channel,
    leaving: asyncio.Event,
    survey: grpc.aio.Channel | None = None,
    notify: grpc.aio.Channel | None = None,
) -> Server:
    """The server, not started; `queue`, `survey` and `notify` are channels, `leaving` is set when
    it is told to end. Without `survey` or `notify` their routes are not there."""
    others = [(SURVEY, survey), (NOTIFY, notify)]
    routes = Routes((*SERVICES, *(each for some, way in others if way for each in some)))
    calls = Calls(queue, {some[0].file.package: way for some, way in others if way})
    watching = Watching(queue, calls, _fanout(config), survey)
    watching.check(routes.all)
    admission = _admission(config)
    api = Api(calls, Batches(_sender(calls), _limits(config)), admission)
    web = pages(_tickets(calls), config.recordings)
    fixed = web.fixed | ops.fixed(queue, leaving)
    fixed |= openapi.fixed(routes, DOCUMENTS, version("tunggu"))
    app = Gateway(routes, api, watching, fixed, Origins(config.origins), admission, web.forms)
    return Server(app, config, leaving=leaving, drain=watching.drain)


def _admission(config: GatewayConfig) -> Admission:
    """Without keys no token is looked at; without limits nor is any."""
    badges = None
    if config.jwks and config.rates:
        verifier = Verifier(Keys(config.jwks), config.issuer, config.audience)
        badges = Badges(verifier.caller, time.monotonic)
    return Admission(config.rates, config.addresses, badges)


def _fanout(config: GatewayConfig) -> Fanout:
    timing = Timing(beat=config.heartbeat, stale=config.stale, linger=config.linger)
    places = Places(config.most_streams, config.most_streams_by_address)
    return Fanout(timing, config.backlog, places)


def _limits(config: GatewayConfig) -> Limits:
    return Limits(
        in_flight=config.batches,
        size=config.batch_size,
        waiting=config.most_waiting,
        deadline=config.deadline,
    )


def _sender(calls: Calls) -> Send:
    rpc = SERVICES[0].methods_by_name["BatchCreateTickets"]

    async def send(
        request: BatchCreateTicketsRequest, seconds: float
    ) -> BatchCreateTicketsResponse:
        return await calls(rpc, request, seconds)  # type: ignore[no-any-return]

    return send


def _tickets(calls: Calls) -> Tickets:
    """What the ticket page asks for, and does for those who have no JavaScript."""
    queue, offices = (service.methods_by_name for service in SERVICES)

    async def ticket(identity: str) -> Ticket:
        request = queue_pb2.GetTicketRequest(ticket_id=identity)
        return (await calls(queue["GetTicket"], request)).ticket  # type: ignore[no-any-return]

    async def office(kecamatan: str) -> kecamatan_pb2.Office:
        request = kecamatan_pb2.GetKecamatanRequest(kecamatan=kecamatan)
        return (await calls(offices["GetKecamatan"], request)).office  # type: ignore[no-any-return]

    async def act(verb: str, identity: str, key: str) -> None:
        request = getattr(queue_pb2, f"{verb}Request")(ticket_id=identity, request_id=key)
        await calls(queue[verb], request)

    return Tickets(ticket, office, act)


async def serve(config: GatewayConfig) -> None:
    """Serves HTTP until SIGTERM or SIGINT. ConfigError: the port is in use."""
    with listen(config.host, config.port) as listener:
        async with (
            channel(config.queue) as queue,
            channel(config.survey, max_message=BIG) as survey,
            channel(config.notify) as notify,
        ):
            running = server(config, queue, asyncio.Event(), survey, notify)
            log.info("serving", extra={"fields": {"port": listener.getsockname()[1]}})
            await running.serve(sockets=[listener])
