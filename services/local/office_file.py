"""Reads Kecamatan files: YAML with the meaning that JSON gives it.

YAML 1.1 reads 13:00 as 780, 2026-12-25 as a date and `no` as false. Here, as in
YAML 1.2, only null, true, false and numbers are not text; and a key that stands
twice is refused rather than the last one taken.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from services.local.errors import LocalError

_LIMIT = 1_000_000  # bytes of a file


class _Loader(yaml.SafeLoader):
    # PyYAML's own way. Without dates, binaries and sets: JSON has none.
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012
    yaml_constructors = {  # noqa: RUF012
        tag: construct
        for tag, construct in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag.rpartition(":")[2] in ("null", "bool", "int", "float", "str", "seq")
    }


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(0|[1-9][0-9]*)", list("-+0123456789")),
    ("float", r"[-+]?[0-9]+\.[0-9]+", list("-+0123456789")),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first
    )


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise _refused(f"the key {key!r} is not text: quote it", key_node)
        if key in found:
            raise _refused(f"the key {key} stands twice", key_node)
        found[key] = loader.construct_object(value_node, deep=True)
    return found


def _refused(why: str, node: yaml.Node) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, why, node.start_mark)


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def read(path: Path) -> list[dict[str, Any]]:
    """The Kecamatan objects of a file, in order, each with `spec.code`.

    LocalError: one line with the file, the line where it can be named, and why.
    """
    try:
        text = path.read_text("utf-8")
        if len(text) > _LIMIT:
            raise LocalError(f"{path}: more than {_LIMIT} characters")
        documents = [document for document in yaml.load_all(text, _Loader) if document is not None]
    except OSError as error:
        raise LocalError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise LocalError(f"{path}: not UTF-8") from None
    except RecursionError:
        raise LocalError(f"{path}: nested too deeply") from None
    except yaml.YAMLError as error:
        raise LocalError(f"{path}{_where_and_why(error)}") from None
    if not documents:
        raise LocalError(f"{path}: no Kecamatan in it")
    for document in documents:
        _require_code(path, document)
    return documents


def code_of(office: dict[str, Any]) -> str:
    """The Kemendagri code of an object that `read` gave."""
    return str(office["spec"]["code"])


def _require_code(path: Path, document: Any) -> None:
    spec = document.get("spec") if isinstance(document, dict) else None
    code = spec.get("code") if isinstance(spec, dict) else None
    if not isinstance(code, str) or not re.fullmatch(r"\d\d\.\d\d\.\d\d", code):
        raise LocalError(f"{path}: spec.code must be a Kemendagri code as text, such as 73.71.03")


def _where_and_why(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    line = f", line {mark.line + 1}" if mark else ""
    return f"{line}: {getattr(error, 'problem', None) or 'not YAML'}"
