"""Redis behind TLS: who cannot show that it is the right server gets nothing."""

import asyncio
import contextlib
import ipaddress
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.redis_link.link import redis_connection
from services.redis_link.redis_policy import NotConnectedError


@pytest.fixture
def certificate(tmp_path):
    """A file with a certificate of 127.0.0.1, which signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "redis")])
    host = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([host]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    path = tmp_path / "redis.pem"
    pem = serialization.Encoding.PEM
    path.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, form, plain))
    return path


@contextlib.asynccontextmanager
async def behind_tls(redis_server, certificate):
    """The port of a door to the server that speaks TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    async def pump(reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()

    async def pass_on(reader, writer):
        inner, outer = await asyncio.open_unix_connection(redis_server.socket)
        await asyncio.gather(pump(reader, outer), pump(inner, writer))

    server = await asyncio.start_server(pass_on, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]
    await asyncio.sleep(0.05)


async def test_a_server_that_shows_the_right_certificate_is_spoken_to(redis_server, certificate):
    async with behind_tls(redis_server, certificate) as port:
        url = f"rediss://127.0.0.1:{port}?ssl_ca_certs={certificate}"
        async with redis_connection(url) as link:
            assert await link.set("key", "x" * 100_000)
            assert await link.strlen("key") == 100_000


async def test_a_server_that_nobody_vouches_for_is_refused_unless_that_is_wanted(
    redis_server, certificate
):
    async with behind_tls(redis_server, certificate) as port:
        async with redis_connection(f"rediss://127.0.0.1:{port}") as link:
            with pytest.raises(NotConnectedError, match="CERTIFICATE_VERIFY_FAILED"):
                await link.ping()
        async with redis_connection(f"rediss://127.0.0.1:{port}?ssl_cert_reqs=none") as link:
            assert await link.ping()


async def test_a_server_without_tls_is_not_spoken_to_in_the_clear(redis_server):
    async def deaf(reader, writer):
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(deaf, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with redis_connection(f"rediss://127.0.0.1:{port}", timeout=1) as link:
            with pytest.raises(NotConnectedError):
                await link.ping()
