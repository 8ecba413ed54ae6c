"""The page at `/docs`: the API's description as HTML, made once, without any script.

It shows what `openapi.document` says and knows nothing else.
"""

import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

Document = Mapping[str, Any]

METHODS = ("get", "post", "put", "patch", "delete")
_INLINE = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*")
_ITEM = "- "


def page(document: Document) -> str:
    """The whole page."""
    info = document["info"]
    title = f"{info['title']} {info['version']}"
    head = (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)} API</title>"
        '<meta name=viewport content="width=device-width, initial-scale=1">'
        "<link rel=stylesheet href=/docs.css><link rel=icon href=/icon.svg>"
    )
    intro = f"<header><h1>{escape(title)}</h1><p>{escape(info['summary'])}</p>"
    machine = '<p>For machines: <a href="/openapi.json">openapi.json</a></p></header>'
    parts = [head, "<body>", intro, machine, _contents(document), "<main>"]
    parts += [text_html(info["description"]), _bearer(document)]
    parts += [_section(document, tag) for tag in document["tags"]]
    return "\n".join([*parts, _schemas(document), "</main></body></html>\n"])


def text_html(text: str) -> str:
    """Paragraphs and lists of a text with `code` and **weight**."""
    return "".join(_block(part) for part in text.split("\n\n") if part)


def _block(part: str) -> str:
    if not part.startswith(_ITEM):
        return f"<p>{_inline(part)}</p>"
    items = [_inline(line.removeprefix(_ITEM)) for line in part.split("\n")]
    return "<ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>"


def _inline(text: str) -> str:
    def marked(found: re.Match[str]) -> str:
        return f"<code>{found[1]}</code>" if found[1] else f"<strong>{found[2]}</strong>"

    return _INLINE.sub(marked, escape(text))


def _bearer(document: Document) -> str:
    return text_html(document["components"]["securitySchemes"]["bearer"]["description"])


# --- operations -------------------------------------------------------------------------------


def _operations(document: Document, tag: str) -> Iterator[tuple[str, str, Document]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item and tag in item[method]["tags"]:
                yield method.upper(), path, item[method]


def _contents(document: Document) -> str:
    parts = ["<nav>"]
    for tag in document["tags"]:
        parts.append(f"<h2>{escape(tag['name'])}</h2><ul>")
        for method, path, operation in _operations(document, tag["name"]):
            link = f"<a href='#{operation['operationId']}'>{escape(operation['summary'])}</a>"
            parts.append(f"<li>{link} <small>{method} {escape(path)}</small></li>")
        parts.append("</ul>")
    return "".join(parts) + "</nav>"


def _section(document: Document, tag: Document) -> str:
    parts = [f"<section><h2>{escape(tag['name'])}</h2>{text_html(tag['description'])}"]
    for method, path, operation in _operations(document, tag["name"]):
        parts.append(_operation(document, method, path, operation))
    return "\n".join(parts) + "</section>"


def _operation(document: Document, method: str, path: str, operation: Document) -> str:
    parts = [
        f"<article id='{operation['operationId']}'><h3>{escape(operation['summary'])}</h3>",
        f"<p class=address><b>{method}</b> <code>{escape(path)}</code></p>",
        text_html(operation["description"]),
        _parameters(document, operation["parameters"]),
    ]
    if "requestBody" in operation:
        parts.append("<h4>Body</h4>" + _content(operation["requestBody"]["content"]))
    parts += [_answer(status, answer) for status, answer in _answers(operation, refused=False)]
    refusals = [_refusal(status, answer) for status, answer in _answers(operation, refused=True)]
    return "\n".join([*parts, "<h4>Refusals</h4><dl>", *refusals, "</dl></article>"])


def _parameters(document: Document, parameters: list[Document]) -> str:
    rows = []
    for one in parameters:
        parameter = (
            document["components"]["parameters"][one["$ref"].rpartition("/")[2]]
            if ("$ref" in one)
            else one
        )
        place, told = parameter["in"], _inline(parameter["description"])
        rows.append(f"<tr><td><code>{parameter['name']}</code><td>{place}<td>{told}")
    return "<table><tr><th>Parameter<th>in<th>" + "".join(rows) + "</table>"


def _answers(operation: Document, *, refused: bool) -> Iterator[tuple[str, Document]]:
    for status, answer in operation["responses"].items():
        if (int(status) >= 400) == refused:
            yield status, answer


def _answer(status: str, answer: Document) -> str:
    told = f"<h4>{status}</h4>{text_html(answer['description'])}"
    return told + _content(answer.get("content", {}))


def _refusal(status: str, answer: Document) -> str:
    return f"<dt>{status}<dd>{text_html(answer['description'])}"


def _content(content: Document) -> str:
    return "".join(_medium(kind, medium) for kind, medium in content.items())


def _medium(kind: str, medium: Document) -> str:
    schema = medium["schema"]
    sample = medium["example"]
    shown = sample if isinstance(sample, str) else json.dumps(sample, indent=2, ensure_ascii=False)
    told = f"<p><code>{kind}</code> {_type(schema.get('x-data', schema))}</p>"
    return f"{told}<pre>{escape(shown)}</pre>"


# --- schemas ----------------------------------------------------------------------------------


def _schemas(document: Document) -> str:
    parts = ["<section><h2>Shapes</h2>"]
    for name, schema in document["components"]["schemas"].items():
        parts.append(f"<article id='{name}'><h3>{name}</h3>")
        parts.append(text_html(schema.get("description", "")) + _properties(schema) + "</article>")
    return "\n".join(parts) + "</section>"


def _properties(schema: Document) -> str:
    needed = schema.get("required", [])
    rows = []
    for name, one in schema.get("properties", {}).items():
        absent = "" if name in needed else " <small>may be absent</small>"
        told = _inline(one.get("description", ""))
        rows.append(f"<tr><td><code>{name}</code>{absent}<td>{_type(one)}<td>{told}")
    return "<table>" + "".join(rows) + "</table>" if rows else ""


def _type(schema: Document) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"<a href='#{name}'>{name}</a>"
    if schema.get("type") == "array":
        return "list of " + _type(schema["items"])
    if "enum" in schema:
        return ", ".join(f"<code>{value}</code>" for value in schema["enum"])
    if "additionalProperties" in schema:
        return "object of " + _type(schema["additionalProperties"])
    return escape(str(schema.get("format", schema.get("type", ""))))
