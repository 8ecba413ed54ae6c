"""Settings of the channels: right, absent, or one clear line."""

import pytest

from services.chassis.config import ConfigError, load
from services.notify.config import NotifyConfig

PUSH = "https://fcm.googleapis.com/x"


def refused(**environ):
    with pytest.raises(ConfigError) as error:
        load(NotifyConfig, {f"TUNGGU_{name}": value for name, value in environ.items()})
    return str(error.value)


def test_by_default_push_goes_to_the_known_services_and_webhooks_nowhere():
    settings = load(NotifyConfig, {})
    assert settings.push_policy().destination(PUSH).host == "fcm.googleapis.com"
    assert settings.webhook_policy().hosts == ()
    assert not settings.push_policy().loopback


def test_loopback_is_for_development():
    assert "TUNGGU_LOOPBACK" in refused(LOOPBACK="on")
    assert load(NotifyConfig, {"TUNGGU_LOOPBACK": "on", "TUNGGU_ENV": "development"}).loopback


@pytest.mark.parametrize(
    "contact", ["mailto:", "mailto:a@b", "ops@city.example", "http://city.example", "https://x y"]
)
def test_a_contact_that_push_services_would_refuse_stops_the_start(contact):
    assert "TUNGGU_CONTACT" in refused(CONTACT=contact)


def test_hosts_ports_and_networks_that_are_none_stop_the_start():
    assert "no name of a host" in refused(PUSH_HOSTS="https://fcm.googleapis.com")
    assert "never admitted" in refused(WEBHOOK_NETWORKS="127.0.0.0/8")
    assert "where may be posted to" in refused(WEBHOOK_PORTS="https")


def test_an_inner_network_is_admitted_for_webhooks_only():
    settings = load(NotifyConfig, {"TUNGGU_WEBHOOK_NETWORKS": "10.20.0.0/16"})
    assert settings.agency_policy().admits("a.city.example", "10.20.0.9")
    assert not settings.push_policy().admits("a.city.example", "10.20.0.9")


def test_whatsapp_by_half_names_what_is_missing():
    said = refused(WHATSAPP_PHONE="6281100000000", WHATSAPP_PHONE_ID="1234")
    assert "TUNGGU_WHATSAPP_TOKEN" in said
    assert "TUNGGU_WHATSAPP_APP_SECRET" in said


def test_a_number_that_is_none_stops_the_start(tmp_path):
    for name in ("token", "app_secret", "verify_token"):
        (tmp_path / name).write_text("secret")
    files = {
        f"WHATSAPP_{name.upper()}_FILE": str(tmp_path / name)
        for name in ("token", "app_secret", "verify_token")
    }
    said = refused(WHATSAPP_PHONE="+62 811", WHATSAPP_PHONE_ID="1", **files)
    assert "TUNGGU_WHATSAPP_PHONE must be digits" in said
