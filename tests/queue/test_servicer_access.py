"""Who may call what: tokens, roles, kecamatan, holders. Nothing refused is written."""

import base64
import hashlib
import hmac
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from services.chassis import token
from tests.queue.servicing import KECAMATAN, METHODS, QUEUE, Office, Who, call, keys
from tunggu.access.v1.access_pb2 import Role, requires
from tunggu.queue.v1 import queue_pb2 as pb


def claims_of(office, **other):
    now = int(time.time())
    return {
        "iss": "tunggu",
        "aud": "tunggu",
        "sub": "budi",
        "iat": now,
        "exp": now + 600,
        "tunggu_role": ["OFFICER"],
        "tunggu_kecamatan": [office.code],
        **other,
    }


def signed(claims, key=None, algorithm="ES256", **header):
    ours, jwk = token.public_jwk(keys().read_bytes())
    return jwt.encode(claims, key or ours, algorithm, {"kid": jwk["kid"], **header})


def unsigned(claims, **header):
    """A token of `alg: none`, which PyJWT itself would not give a key id."""
    jwk = token.public_jwk(keys().read_bytes())[1]
    parts = {"alg": "none", "typ": "JWT", "kid": jwk["kid"], **header}, claims
    encoded = [base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=") for p in parts]
    return (b".".join(encoded) + b".").decode()


def hmac_with_public_key(claims, pem):
    """HS256 with the public key as the secret, built by hand: PyJWT refuses to."""
    head, body, _ = unsigned(claims, alg="HS256").split(".")
    mac = hmac.new(pem, f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def public_pem():
    key = token.public_jwk(keys().read_bytes())[0].public_key()
    kind = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, kind)


def bad_tokens(office, tmp_path):
    claims = claims_of(office)
    other = token.public_jwk(token.make_key(tmp_path).read_bytes())[0]
    good = signed(claims)
    return {
        "forged by another key of the same name": signed(claims, other),
        "of a key that nobody knows": signed(claims, other, kid="unknown"),
        "of alg none": unsigned(claims),
        "of alg None": unsigned(claims, alg="None"),
        "of alg HS256 with the public key": hmac_with_public_key(claims, public_pem()),
        "of alg HS256 with the JWKS": hmac_with_public_key(
            claims, keys().with_name("jwks.json").read_bytes()
        ),
        "of a foreign issuer": signed(claims_of(office, iss="elsewhere")),
        "for a foreign audience": signed(claims_of(office, aud="elsewhere")),
        "without a subject": signed(claims_of(office, sub="")),
        "with roles that are numbers": signed(claims_of(office, tunggu_role=[1])),
        "not yet valid": signed(claims_of(office, nbf=int(time.time()) + 600)),
        "changed after signing": good[:-8] + ("AAAAAAAA" if good[-8:] != "AAAAAAAA" else "B" * 8),
        "cut off": good.rpartition(".")[0],
        "empty": "",
        "no token at all": "a.b.c",
        "of an alg that is a list": unsigned(claims, alg=["ES256"]),
        "of a subject longer than OpenID Connect admits": signed(claims_of(office, sub="z" * 256)),
    } | {
        f"without {name}": signed({k: v for k, v in claims.items() if k != name})
        for name in ("iss", "aud", "sub", "exp")
    }


async def refused_with(office, authorization, reason, rpc="OpenCounter", **fields):
    before = office.state()
    fields = fields or {"counter": "1"}
    with pytest.raises(Exception, match=reason):
        await call(office.channel, rpc, office.request(rpc, **fields), authorization)
    assert office.state() == before


async def test_a_good_token_opens_a_counter(office):
    fields = office.request("OpenCounter", counter="1")
    await call(office.channel, "OpenCounter", fields, f"Bearer {signed(claims_of(office))}")
    await call(office.channel, "OpenCounter", fields, f"bearer {signed(claims_of(office))}")


async def test_a_token_that_cannot_be_trusted_is_refused_and_nothing_is_written(office, tmp_path):
    for what, text in bad_tokens(office, tmp_path).items():
        try:
            await refused_with(office, f"Bearer {text}", "TOKEN_INVALID")
        except AssertionError as error:
            raise AssertionError(f"a token {what}") from error
    for scheme in ("Basic", "Token", ""):
        good = signed(claims_of(office))
        await refused_with(office, f"{scheme} {good}", "TOKEN_INVALID")


async def test_an_expired_token_is_refused_by_its_own_reason(office):
    old = int(time.time()) - 120
    await refused_with(office, f"Bearer {signed(claims_of(office, exp=old))}", "TOKEN_EXPIRED")


async def test_a_bad_token_is_refused_even_where_none_is_needed(office):
    none = f"Bearer {unsigned(claims_of(office))}"
    await refused_with(office, none, "TOKEN_INVALID", "CreateTicket", service="A")
    await refused_with(office, none, "TOKEN_INVALID", "GetBoard", kecamatan=office.code)


async def test_a_token_cannot_make_its_bearer_public_or_a_holder_only(office):
    ticket = await office.take("A")
    for role in ("PUBLIC", "HOLDER", "ROLE_OFFICER", "officer", ""):
        who = office.who(role)
        await office.refused("OpenCounter", "PERMISSION_DENIED", who, counter="1")
        await office.refused("GetTicket", "PERMISSION_DENIED", who, number=ticket.number)


SAMPLE = {
    "counter": "1",
    "ticket": "A001",
    "number": "A001",
    "service": "B",
    "services": ["A"],
    "lane": 2,
    "reason": pb.STOP_REASON_FULL,
}


def sample(office, rpc):
    """A request of the staff that is well formed."""
    known = pb.DESCRIPTOR.message_types_by_name.get(f"{rpc}Request")
    fields = known.fields_by_name if known else {}
    return office.request(rpc, **{name: v for name, v in SAMPLE.items() if name in fields})


def staff_roles(rpc):
    option = METHODS[rpc].GetOptions().Extensions[requires]
    return {Role.Name(r).removeprefix("ROLE_") for r in option.staff_roles or option.roles}


STAFF_VERBS = sorted(name for name in METHODS if not staff_roles(name) & {"PUBLIC", "HOLDER"})
OF_THE_STAFF = {"KIOSK", "OFFICER", "SUPERVISOR", "WAR_ROOM", "ADMIN", "INTERNAL"}


def test_every_method_of_the_two_services_says_whom_it_admits():
    for service in (QUEUE, KECAMATAN):
        assert all(m.GetOptions().HasExtension(requires) for m in service.methods)
    assert len(STAFF_VERBS) >= 20


@pytest.mark.parametrize("rpc", STAFF_VERBS)
async def test_a_verb_of_the_staff_refuses_everyone_that_it_does_not_list(office, rpc):
    request = sample(office, rpc)
    await office.refused_as(rpc, request, "UNAUTHENTICATED")
    for role in sorted(OF_THE_STAFF - staff_roles(rpc)):
        await office.refused_as(rpc, request, "PERMISSION_DENIED", office.who(role))
    for role in sorted(staff_roles(rpc)):
        elsewhere = Who(role, "99.99.99", "somebody")
        said = await office.refused_as(rpc, request, "OTHER_KECAMATAN", elsewhere)
        assert said == {"kecamatan": office.code}


async def test_a_refusal_of_a_foreign_office_echoes_only_the_beginning_of_its_code(office):
    request = pb.OpenCounterRequest(kecamatan="7" * 100_000, counter="1")
    said = await office.refused_as("OpenCounter", request, "OTHER_KECAMATAN", office.officer)
    assert len(said["kecamatan"]) <= 32


async def test_a_token_for_every_kecamatan_and_one_for_several_admit(office):
    await office.open("1", Who("OFFICER", "*", "anywhere"))
    await office.open("2", Who("KIOSK,OFFICER", f"99.99.99,{office.code}", "of two"))


async def test_roles_have_no_order_so_a_supervisor_of_all_is_no_admin(office):
    who = Who("SUPERVISOR", "*", "camat")
    await office.refused("DeleteKecamatan", "PERMISSION_DENIED", who)
    await office.refused("OpenCounter", "PERMISSION_DENIED", Who("ADMIN", "*", "ops"), counter="1")


async def test_a_supervisor_of_elsewhere_has_no_say_at_anybodys_counter(office):
    """Two offices in the token, the roles hold for both; no office, no role."""
    await office.ticket_in("CALLED")
    both = Who("OFFICER,SUPERVISOR", f"{office.code},99.99.99", "both")
    elsewhere = Who("SUPERVISOR", "99.99.99", "both")
    fields = {"counter": "1", "ticket": "A001"}
    await office.refused("StartTicket", "OTHER_KECAMATAN", elsewhere, **fields)
    await office.do("StartTicket", both, **fields)


HOLDER_VERBS = ("GetTicket", "CancelTicket", "CheckInTicket", "ReturnTicket")


@pytest.mark.parametrize("rpc", HOLDER_VERBS)
async def test_a_holders_verb_by_number_is_not_for_people_without_a_token(office, rpc):
    await office.ticket_in("ON_HOLD")
    await office.refused(rpc, "UNAUTHENTICATED", number="A001")
    await office.refused(rpc, "PERMISSION_DENIED", office.who("WAR_ROOM"), number="A001")
    foreign = Who("OFFICER", "99.99.99", "x")
    await office.refused(rpc, "OTHER_KECAMATAN", foreign, number="A001")


@pytest.mark.parametrize("rpc", HOLDER_VERBS)
async def test_a_holders_verb_takes_the_id_or_the_number_never_both(office, rpc):
    ticket = await office.ticket_in("ON_HOLD")
    await office.take("A")
    request = office.request(rpc, ticket_id=ticket.id, kecamatan=office.code, number="A002")
    for who in (None, office.officer):
        said = await office.refused_as(rpc, request, "INVALID_REQUEST", who)
        assert said == {"field": "number"}


@pytest.mark.parametrize("rpc", HOLDER_VERBS)
async def test_a_holders_verb_needs_nothing_but_the_id(office, rpc):
    ticket = await office.ticket_in("ON_HOLD")
    elsewhere = office.request(rpc, ticket_id=ticket.id, kecamatan="99.99.99")
    answer = await office.send(rpc, elsewhere)
    assert (answer.number, answer.kecamatan, answer.id) == ("A001", office.code, ticket.id)


async def test_the_id_of_one_ticket_never_reaches_another(office):
    mine, theirs = await office.take("A"), await office.take("A")
    await office.do("CancelTicket", ticket_id=mine.id)
    shown = await office.do("GetTicket", ticket_id=theirs.id)
    assert (shown.number, shown.ahead, shown.event) == ("A002", 0, theirs.event)
    foreign = Office(office.channel, office.redis)
    swapped = mine.id.replace(office.code.replace(".", ""), foreign.code.replace(".", ""))
    await office.refused("CancelTicket", "TICKET_NOT_FOUND", ticket_id=swapped)
