"""The API's description, and whether what a gateway answers is what it says."""

import re
from copy import deepcopy
from functools import cache

from jsonschema import Draft202012Validator, FormatChecker

from services.gateway import comments, compose, openapi
from services.gateway.routes import Routes

ROUTES = Routes((*compose.SERVICES, *compose.SURVEY, *compose.NOTIFY))
FORMATS = FormatChecker(["date-time"])


@cache
def document():
    return openapi.document(ROUTES, comments.load(), compose.DOCUMENTS, "0.1.0")


def operations():
    """`(method, path, operation)` of all."""
    for path, item in document()["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def operation_of(method, path):
    """The operation that a request's path belongs to."""
    plain = path.partition("?")[0]
    for known, template, operation in operations():
        pattern = re.sub(r"\{\w+\}", "[^/:]+", template.replace(".", r"\."))
        if known == method and re.fullmatch(pattern, plain):
            return operation
    raise AssertionError(f"nothing describes {method} {plain}")


def validator(schema):
    """For a schema of the document; `#/components/…` is found."""
    return Draft202012Validator(schema | {"components": closed()}, format_checker=FORMATS)


@cache
def closed():
    """The components, with shapes of answers that admit nothing unknown: what a server adds
    without a word is an error here, though clients must bear it."""
    components = deepcopy(document()["components"])
    for schema in components["schemas"].values():
        if schema.get("type") == "object":
            schema.setdefault("additionalProperties", False)
    return components


def check(response):
    """An httpx response is one of those that its operation describes."""
    request = response.request
    operation = operation_of(request.method, request.url.raw_path.decode())
    told = operation["responses"].get(str(response.status_code))
    where = f"{operation['operationId']} {response.status_code} {response.text[:500]}"
    assert told, where
    headers = document()["components"]["headers"]
    for name in told.get("headers", ()):
        assert name in response.headers or not headers[name].get("required"), f"{where}: no {name}"
    if not told.get("content"):
        assert response.content == b"", where
        return
    kind = response.headers["content-type"].partition(";")[0]
    assert kind in told["content"], f"{where} is {kind}"
    value = response.json() if kind.endswith("json") and "ndjson" not in kind else response.text
    errors = list(validator(told["content"][kind]["schema"]).iter_errors(value))
    assert not errors, f"{where}: {errors[0].json_path} {errors[0].message}"
