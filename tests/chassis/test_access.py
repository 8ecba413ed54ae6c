"""Who may call what: tokens, keys, roles, kecamatan."""

import base64
import hmac
import json
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import jwt
import pytest

from services.chassis import access, token
from services.chassis.access import Caller, Keys, Rule, Verifier
from services.chassis.errors import Problem

OFFICER = Caller("officer-1", frozenset({"OFFICER"}), frozenset({"73.71.03"}))
ADMIN = Caller("admin", frozenset({"ADMIN"}), frozenset({"*"}))


@pytest.fixture
def key(tmp_path) -> Path:
    return token.make_key(tmp_path / "keys")


@pytest.fixture
def verifier(key) -> Verifier:
    return Verifier(Keys(str(key.parent / "jwks.json")), "tunggu", "tunggu")


def bearer(key: Path, **changes: object) -> str:
    """A header with a token of the key whose claims are changed; None removes one."""
    given = token.mint(key, ["OFFICER"], ["73.71.03"], subject="officer-1")
    claims = jwt.decode(given, options={"verify_signature": False}) | changes
    private, jwk = token.public_jwk(key.read_bytes())
    kept = {name: value for name, value in claims.items() if value is not None}
    return "Bearer " + jwt.encode(kept, private, "ES256", {"kid": jwk["kid"]})


async def refusal(verifier: Verifier, header: str) -> str:
    with pytest.raises(Problem) as refused:
        await verifier.caller(header)
    return refused.value.reason


# --- tokens -------------------------------------------------------------------


async def test_a_token_of_the_provider_names_its_caller(verifier, key):
    assert await verifier.caller(bearer(key)) == OFFICER


async def test_without_a_token_the_caller_is_nobody(verifier):
    assert await verifier.caller("") == Caller()


async def test_role_and_kecamatan_may_each_be_one_text_or_a_list(verifier, key):
    one = await verifier.caller(bearer(key, tunggu_role="ADMIN", tunggu_kecamatan="*"))
    assert (one.roles, one.kecamatan) == ({"ADMIN"}, {"*"})
    two = await verifier.caller(bearer(key, tunggu_role=["OFFICER", "SUPERVISOR"]))
    assert two.roles == {"OFFICER", "SUPERVISOR"}


async def test_an_expired_token_says_so(verifier, key):
    assert await refusal(verifier, bearer(key, exp=int(time.time()) - 60)) == "TOKEN_EXPIRED"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "somebody-else"},
        {"aud": "another-service"},
        {"exp": None},
        {"sub": None},
        {"sub": ""},
        {"iss": None},
        {"aud": None},
        {"nbf": int(time.time()) + 600},
        {"tunggu_role": {"OFFICER": True}},
        {"tunggu_kecamatan": [73]},
    ],
    ids=str,
)
async def test_a_token_with_other_claims_is_refused(verifier, key, changes):
    assert await refusal(verifier, bearer(key, **changes)) == "TOKEN_INVALID"


async def test_a_token_signed_with_another_key_is_refused(verifier, key, tmp_path):
    forged = bearer(token.make_key(tmp_path / "forger"))
    assert await refusal(verifier, forged) == "TOKEN_INVALID"


async def test_a_forged_token_that_names_our_key_is_refused(verifier, key, tmp_path):
    _, jwk = token.public_jwk(key.read_bytes())
    forger, _ = token.public_jwk(token.make_key(tmp_path / "forger").read_bytes())
    claims = jwt.decode(bearer(key).split()[1], options={"verify_signature": False})
    forged = jwt.encode(claims, forger, "ES256", {"kid": jwk["kid"]})
    assert await refusal(verifier, f"Bearer {forged}") == "TOKEN_INVALID"


async def test_a_token_with_algorithm_none_is_refused(verifier, key):
    head, body, _ = bearer(key).split()[1].split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "==")) | {"alg": "none"}
    bare = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    assert await refusal(verifier, f"Bearer {bare}.{body}.") == "TOKEN_INVALID"


async def test_a_token_signed_by_hmac_with_the_public_key_is_refused(verifier, key):
    _, jwk = token.public_jwk(key.read_bytes())
    header = json.dumps({"alg": "HS256", "kid": jwk["kid"]}).encode()
    head = base64.urlsafe_b64encode(header).rstrip(b"=").decode()
    signed = f"{head}.{bearer(key).split('.')[1]}"
    for secret in (json.dumps(jwk).encode(), base64.urlsafe_b64decode(jwk["x"] + "=")):
        mac = base64.urlsafe_b64encode(hmac.digest(secret, signed.encode(), "sha256"))
        forged = f"Bearer {signed}.{mac.rstrip(b'=').decode()}"
        assert await refusal(verifier, forged) == "TOKEN_INVALID"


@pytest.mark.parametrize("header", ["Bearer", "Bearer x", "Basic {}", "Bearer a.b.c", "{}"])
async def test_what_is_no_bearer_token_is_refused(verifier, key, header):
    assert await refusal(verifier, header.format(bearer(key).split()[1])) == "TOKEN_INVALID"


async def test_a_token_cannot_give_itself_the_roles_that_need_none(verifier, key):
    assert (await verifier.caller(bearer(key, tunggu_role="HOLDER"))).roles == frozenset()


async def test_without_keys_no_token_is_valid(key):
    assert await refusal(Verifier(Keys(""), "tunggu", "tunggu"), bearer(key)) == "TOKEN_INVALID"


# --- keys ---------------------------------------------------------------------


async def test_an_unknown_key_id_looks_again_at_most_once_a_minute(key, tmp_path):
    now = [0.0]
    file = tmp_path / "jwks.json"
    file.write_text('{"keys": []}')
    keys = Keys(str(file), clock=lambda: now[0])
    _, jwk = token.public_jwk(key.read_bytes())
    assert await keys.find(jwk["kid"]) is None
    file.write_text(json.dumps({"keys": [jwk]}))
    now[0] = 59.0
    assert await keys.find(jwk["kid"]) is None
    now[0] = 60.0
    assert await keys.find(jwk["kid"]) is not None


async def test_old_keys_stay_while_the_provider_cannot_be_read(key, tmp_path):
    now = [0.0]
    _, jwk = token.public_jwk(key.read_bytes())
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": [jwk]}))
    keys = Keys(str(file), clock=lambda: now[0])
    assert await keys.find(jwk["kid"]) is not None
    for broken in ("{", "[]", '{"keys": 1}', '{"keys": [{"kty": "none"}]}'):
        file.write_text(broken)
        now[0] += 61.0
        assert await keys.find("unknown") is None
        assert await keys.find(jwk["kid"]) is not None
    file.unlink()
    now[0] += 61.0
    assert await keys.find("unknown") is None
    assert await keys.find(jwk["kid"]) is not None


async def test_keys_of_several_sources_hold_together_though_one_is_away(key, tmp_path):
    ours = token.make_key(tmp_path / "ours")
    sources = [tmp_path / "absent.json", key.parent / "jwks.json", ours.parent / "jwks.json"]
    verifier = Verifier(Keys(", ".join(map(str, sources))), "tunggu", "tunggu")
    assert await verifier.caller(bearer(key)) == OFFICER
    assert await verifier.caller(bearer(ours)) == OFFICER


async def test_a_symmetric_key_of_the_provider_is_not_taken(tmp_path):
    file = tmp_path / "jwks.json"
    oct_key = {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQ", "kid": "h", "alg": "HS256"}
    file.write_text(json.dumps({"keys": [oct_key]}))
    assert await Keys(str(file)).find("h") is None


async def test_keys_come_from_a_url_too(key):
    class Provider(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write((key.parent / "jwks.json").read_bytes())

        def log_message(self, *args: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Provider) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        keys = Keys(f"http://127.0.0.1:{server.server_port}/jwks")
        _, jwk = token.public_jwk(key.read_bytes())
        assert await keys.find(jwk["kid"]) is not None
        server.shutdown()
        thread.join()


# --- roles --------------------------------------------------------------------


def admitted(rule: Rule, who: Caller, **request: str) -> str:
    """ "" or the reason of the refusal."""
    access.CALLER.set(who)
    try:
        rule.admit(SimpleNamespace(**request))
    except Problem as problem:
        return problem.reason
    return ""


PUBLIC = Rule(frozenset({"PUBLIC"}), frozenset())
COUNTER = Rule(frozenset({"OFFICER", "SUPERVISOR"}), frozenset())
BOTH = Rule(frozenset({"HOLDER"}), frozenset({"OFFICER"}))


def test_a_public_method_admits_everyone_for_every_kecamatan():
    assert admitted(PUBLIC, Caller(), kecamatan="73.71.01") == ""
    assert admitted(PUBLIC, OFFICER, kecamatan="73.71.01") == ""


def test_a_staff_method_wants_a_token_a_listed_role_and_the_kecamatan():
    assert admitted(COUNTER, Caller(), kecamatan="73.71.03") == "UNAUTHENTICATED"
    assert admitted(COUNTER, ADMIN, kecamatan="73.71.03") == "PERMISSION_DENIED"
    assert admitted(COUNTER, OFFICER, kecamatan="73.71.01") == "OTHER_KECAMATAN"
    assert admitted(COUNTER, OFFICER, kecamatan="") == "OTHER_KECAMATAN"
    assert admitted(COUNTER, OFFICER, kecamatan="73.71.03") == ""


def test_a_star_stands_for_every_kecamatan():
    everywhere = Caller("s", frozenset({"SUPERVISOR"}), frozenset({"*"}))
    assert admitted(COUNTER, everywhere, kecamatan="73.71.15") == ""


def test_a_ticket_id_admits_its_holder_and_a_number_only_the_staff():
    assert admitted(BOTH, Caller(), ticket_id="737103-260302-x", kecamatan="", number="") == ""
    by_number = {"ticket_id": "", "kecamatan": "73.71.03", "number": "A001"}
    assert admitted(BOTH, Caller(), **by_number) == "UNAUTHENTICATED"
    assert admitted(BOTH, ADMIN, **by_number) == "PERMISSION_DENIED"
    assert admitted(BOTH, OFFICER, **by_number) == ""


def test_a_made_up_ticket_id_does_not_smuggle_a_number_past_the_check():
    both = {"ticket_id": "x", "kecamatan": "73.71.03", "number": "A001"}
    assert admitted(BOTH, Caller(), **both) == "INVALID_REQUEST"


def test_require_asks_for_a_role_within_a_public_method():
    access.CALLER.set(OFFICER)
    access.require({"OFFICER", "SUPERVISOR"}, "73.71.03")
    with pytest.raises(Problem, match="PERMISSION_DENIED"):
        access.require({"INTERNAL"}, "73.71.03")
    with pytest.raises(Problem, match="OTHER_KECAMATAN"):
        access.require({"OFFICER"}, "73.71.01")


# --- keys and tokens of our own ------------------------------------------------


def test_make_key_keeps_the_private_key_to_its_owner_and_makes_it_once(tmp_path):
    key = token.make_key(tmp_path)
    pem = key.read_bytes()
    assert key.stat().st_mode & 0o777 == 0o600
    assert token.make_key(tmp_path).read_bytes() == pem
    assert b'"d"' not in (tmp_path / "jwks.json").read_bytes()


async def test_the_command_prints_a_token_that_the_servers_accept(verifier, key, capsys):
    arguments = ["--role", "SUPERVISOR,OFFICER", "--kecamatan", "73.71.03,73.71.04"]
    printed = token.main([*arguments, "--key", str(key), "--subject", "camat"])
    expected = Caller(
        "camat", frozenset({"SUPERVISOR", "OFFICER"}), frozenset({"73.71.03", "73.71.04"})
    )
    assert await verifier.caller(f"Bearer {printed}") == expected


def test_a_token_lasts_twelve_hours_unless_told(key):
    for hours, more in ((12, []), (1, ["--hours", "1"])):
        printed = token.main(["--role", "OFFICER", "--key", str(key), *more])
        claims = jwt.decode(printed, options={"verify_signature": False})
        assert claims["exp"] - claims["iat"] == hours * 3600


def test_without_a_key_the_command_says_where_one_comes_from(tmp_path):
    with pytest.raises(SystemExit, match="make run"):
        token.main(["--role", "OFFICER", "--key", str(tmp_path / "none.pem")])


@pytest.mark.parametrize("content", [b"", b"junk"])
def test_a_file_that_is_no_key_is_one_line(tmp_path, content):
    (tmp_path / "private.pem").write_bytes(content)
    with pytest.raises(SystemExit, match=r"token: --key: .*make run") as ended:
        token.main(["--role", "OFFICER", "--key", str(tmp_path / "private.pem")])
    assert len(str(ended.value).splitlines()) == 1


def test_a_role_that_does_not_exist_is_refused(key, capsys):
    with pytest.raises(SystemExit):
        token.main(["--role", "KING", "--key", str(key)])
    assert "KING" in capsys.readouterr().err
