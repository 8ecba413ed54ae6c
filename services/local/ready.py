"""Whether a process answers. Each probe returns "" when it does, else why not; none raises."""

import http.client
import socket
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

_PROBE_SECONDS = 2.0


def redis(path: Path) -> str:
    """PING over the unix socket; a Redis that still loads its data says so."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_PROBE_SECONDS)
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            answer = connection.recv(200)
    except OSError as error:
        return f"no answer on {path.name} ({error.strerror or error})"
    return "" if answer == b"+PONG\r\n" else answer.decode(errors="replace").strip()


def queue(address: str) -> str:
    """The readiness service of gRPC health checking, not its liveness."""
    request = health_pb2.HealthCheckRequest(service="readiness")
    try:
        with grpc.insecure_channel(address) as channel:
            answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=_PROBE_SECONDS)
    except grpc.RpcError as error:
        return f"gRPC health on {address}: {_code(error)}"
    serving: int = health_pb2.HealthCheckResponse.SERVING
    return "" if answer.status == serving else f"gRPC health on {address}: not serving"


def gateway(host: str, port: int) -> str:
    """GET /readyz."""
    connection = http.client.HTTPConnection(host, port, timeout=_PROBE_SECONDS)
    try:
        connection.request("GET", "/readyz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"no answer on port {port} ({error})"
    finally:
        connection.close()
    return "" if status == http.client.OK else f"/readyz says {status}"


def _code(error: grpc.RpcError) -> str:
    return error.code().name if isinstance(error, grpc.Call) else "no answer"
