"""What each process is given, and that it is given nothing else."""

from pathlib import Path

from services.chassis.config import load
from services.local import contract
from services.local.contract import Where
from services.queue.config import QueueConfig
from services.survey.config import SurveyConfig

WHERE = Where(
    redis=Path("/data of ours/redis.sock"),
    host="0.0.0.0",
    port=8080,
    gateway_metrics=9100,
    queues=(50051, 50052),
    queue_metrics=(9101, 0),
    survey=50053,
)


def ours(program):
    return {name: value for name, value in program.environ.items() if name.startswith("TUNGGU_")}


def test_a_queue_is_told_where_redis_is_with_spaces_escaped():
    settings = ours(contract.queue(0, WHERE, Path("/keys"), hours="real", clock=""))
    assert settings["TUNGGU_REDIS_URL"] == "unix:///data%20of%20ours/redis.sock"


def test_the_gateway_is_told_all_queues_the_public_keys_and_no_private_key_or_redis():
    settings = ours(contract.gateway(WHERE, Path("/keys"), limits="on"))
    assert settings["TUNGGU_QUEUE"] == "ipv4:127.0.0.1:50051,127.0.0.1:50052"
    assert settings["TUNGGU_SURVEY"] == "ipv4:127.0.0.1:50053"
    assert settings["TUNGGU_JWKS"] == "/keys/jwks.json"
    assert not any("redis" in value or "private" in value for value in settings.values())


def test_the_survey_is_told_the_queues_its_key_and_the_queues_clock():
    program = contract.survey(WHERE, Path("/keys"), clock="1,2,300")
    settings = load(SurveyConfig, program.environ)
    queue = load(
        QueueConfig, contract.queue(0, WHERE, Path("/k"), hours="real", clock="1,2,300").environ
    )
    assert settings.queue == "ipv4:127.0.0.1:50051,127.0.0.1:50052"
    assert settings.key == "/keys/private.pem"
    assert settings.redis_url == queue.redis_url
    assert settings.domain_clock().text == queue.domain_clock().text
    assert program.argv[1:] == ("-P", "-m", "services.survey")


def test_replicas_differ_only_in_their_addresses():
    first, second = (
        ours(contract.queue(number, WHERE, Path("/keys"), hours="always", clock="1,2,300"))
        for number in (0, 1)
    )
    assert {name for name in first if first[name] != second[name]} == {
        "TUNGGU_ADDRESS",
        "TUNGGU_METRICS_PORT",
    }


def test_services_run_through_the_entry_points_of_the_cluster():
    program = contract.queue(1, WHERE, Path("/keys"), hours="real", clock="")
    assert program.name == "queue-2"
    assert program.argv[1:] == ("-P", "-m", "services.queue")
    gateway = contract.gateway(WHERE, Path("/keys"), limits="on")
    assert gateway.argv[1:] == ("-P", "-m", "services.gateway")


def test_each_queue_understands_all_that_it_is_told():
    program = contract.queue(0, WHERE, Path("/keys"), hours="always", clock="1,2,300")
    settings = load(QueueConfig, program.environ)
    assert settings.redis_url == "unix:///data%20of%20ours/redis.sock"
    assert settings.domain_clock().speed == 300
    assert settings.always_open
