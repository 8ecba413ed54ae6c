from services.gateway.addresses import client_of


def test_a_client_is_known_by_its_address_and_not_by_its_port():
    assert client_of({"client": ("192.0.2.7", 40000)}) == "192.0.2.7"
    assert client_of({"client": None}) == client_of({}) == ""
