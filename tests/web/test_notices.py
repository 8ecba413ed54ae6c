"""Asking to be told: shown as far as the deployment offers it. The service itself is not here."""

import json

from playwright.sync_api import expect

LINK = "https://wa.me/6281234567890?text=A001-7Q4K"


def offering(pages, *channels):
    """A phone that is told that these channels work; what it asks for is in `asked`."""
    phone, asked = pages.context(service_workers="block"), []

    def subscribe(route):
        asked.append(route.request.post_data_json)
        answer = {"subscription": {"id": "1", "code": "7Q4K", "link": LINK}}
        route.fulfill(status=201, content_type="application/json", body=json.dumps(answer))

    body = json.dumps({"channels": [{"channel": name, "key": key} for name, key in channels]})
    phone.route(
        "**/v1/notify/channels",
        lambda route: route.fulfill(content_type="application/json", body=body),
    )
    phone.route("**/v1/tickets/*/subscriptions", subscribe)
    return phone, asked


def test_where_nothing_is_offered_nothing_shows(pages, town, desk):
    phone = pages.context(service_workers="block")
    phone.route("**/v1/notify/channels", lambda route: route.fulfill(json={"channels": []}))
    page = pages.within(phone, f"/t/{desk.take()['id']}").page
    expect(page.locator("#card")).to_have_attribute("data-state", "WAITING")
    expect(page.locator("#notify")).to_be_hidden()


def test_whatsapp_opens_with_the_code_and_only_there(pages, desk):
    phone, asked = offering(pages, ("WHATSAPP", "6281234567890"))
    page = pages.within(phone, f"/t/{desk.take()['id']}").page
    expect(page.locator("#push")).to_be_hidden()
    page.get_by_role("button", name="Kabari lewat WhatsApp").click()
    link = page.get_by_role("link", name="Buka WhatsApp")
    expect(link).to_have_attribute("href", LINK)
    expect(link).to_have_attribute("rel", "noreferrer noopener")
    assert asked == [{"whatsapp": {}, "language": "ID"}]


def test_a_phone_that_refuses_notifications_is_told_how_to_allow_them(pages, desk):
    phone, asked = offering(pages, ("WEB_PUSH", "BPub"))
    phone.clear_permissions()
    page = pages.within(phone, f"/t/{desk.take()['id']}").page
    page.evaluate("Notification.requestPermission = async () => 'denied'")
    page.get_by_role("button", name="Kabari lewat ponsel ini").click()
    expect(page.locator("#notify-said")).to_contain_text("menolak pemberitahuan")
    assert asked == []


def test_a_ticket_that_is_over_offers_nothing_more(pages, desk):
    phone, _ = offering(pages, ("WHATSAPP", "6281234567890"))
    page = pages.within(phone, f"/t/{desk.take()['id']}").page
    expect(page.locator("#notify")).to_be_visible()
    page.get_by_text("Tidak jadi datang?").click()
    page.get_by_role("button", name="Ya, batalkan").click()
    expect(page.locator("#notify")).to_be_hidden()
