"""What Prometheus is told of notify; docs/METRICS.md lists it."""

from contextlib import suppress

from prometheus_client import Counter, Gauge, Histogram

from services.chassis.telemetry import BUCKETS

DUE = Counter(
    "tunggu_notify_due",
    "Messages that became due, one a ticket; CAUGHT_UP are those found after a pause. Sum.",
    ["kecamatan", "kind"],
)
DELIVERIES = Counter(
    "tunggu_notify_deliveries",
    "Deliveries by how they ended: ACCEPTED, FAILED, EXPIRED. Sum.",
    ["kecamatan", "channel", "outcome"],
)
ATTEMPTS = Counter(
    "tunggu_notify_attempts",
    "Attempts by what the channel said: sent are ACCEPTED, the rest failed by reason. Sum.",
    ["channel", "result", "reason"],
)
DELAY = Histogram(
    "tunggu_notify_delay_seconds",
    "From the event to the channel's acceptance. Sum.",
    ["channel"],
    buckets=(*BUCKETS, 30.0, 60.0, 300.0),
)
DEAD = Counter("tunggu_notify_dead_letters", "Deliveries given up. Sum.", ["channel", "reason"])
TAKEN_OVER = Counter(
    "tunggu_notify_taken_over", "Deliveries taken over from a silent replica. Sum."
)
EVERYWHERE = " Equal on all replicas: max without (instance)."
OUTBOX = Gauge(
    "tunggu_notify_outbox",
    "Deliveries not settled, those to be tried again included." + EVERYWHERE,
    ["kecamatan"],
)
OLDEST = Gauge(
    "tunggu_notify_outbox_oldest_seconds",
    "Since the oldest delivery in the outbox became due; 0 if it is empty." + EVERYWHERE,
    ["kecamatan"],
)
SUBSCRIPTIONS = Gauge(
    "tunggu_notify_subscriptions", "Subscriptions of the running day." + EVERYWHERE, ["kecamatan"]
)
RESTING = Gauge("tunggu_notify_hosts_resting", "Hosts that are not asked for a while. Sum.")


def forget(code: str) -> None:
    """An office that is no longer looked after has no outbox to show."""
    for gauge in (OUTBOX, OLDEST, SUBSCRIPTIONS):
        with suppress(KeyError):
            gauge.remove(code)
