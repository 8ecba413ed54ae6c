"""What the protos say in words: their comments, which descriptors at run time do not have.

The Makefile writes them beside the stubs (`tunggu/comments.binpb`, a descriptor set with source
info), and the wheel carries that file.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

# Numbers of descriptor.proto's fields, of which a location's path is made.
_MESSAGES, _ENUMS, _SERVICES = 4, 5, 6  # of a file
_FIELDS, _NESTED, _NESTED_ENUMS = 2, 3, 4  # of a message
_PARTS = 2  # a service's methods, an enum's values

Path = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Comment:
    """`paragraphs` without line breaks; `section` is the heading of what follows: a comment that
    stands apart before a method, or alone after a service's brace."""

    paragraphs: tuple[str, ...] = ()
    section: str = ""

    @property
    def text(self) -> str:
        """The paragraphs, an empty line between them."""
        return "\n\n".join(self.paragraphs)


class Comments:
    """Each declaration's comment by its full name, an empty one where there is none."""

    def __init__(self, found: Mapping[str, Comment]) -> None:
        self._found = found

    def of(self, full_name: str) -> Comment:
        return self._found.get(full_name, Comment())


def load() -> Comments:
    """Those of all protos. FileNotFoundError: the checkout lacks `make protos`."""
    return read(resources.files("tunggu").joinpath("comments.binpb").read_bytes())


def read(descriptor_set: bytes) -> Comments:
    """From a serialized FileDescriptorSet with source info."""
    found = {}
    for file in FileDescriptorSet.FromString(descriptor_set).file:
        names = dict(_names(file))
        for location in file.source_code_info.location:
            if name := names.get(tuple(location.path)):
                found[name] = _comment(location)
    return Comments(found)


def _comment(location: Any) -> Comment:
    heading = "".join(location.leading_detached_comments) or location.trailing_comments
    return Comment(_paragraphs(location.leading_comments), " ".join(_paragraphs(heading)))


def _paragraphs(text: str) -> tuple[str, ...]:
    lines = "\n".join(line.strip() for line in text.strip().split("\n"))
    return tuple(" ".join(part.split("\n")) for part in lines.split("\n\n") if part)


def _names(file: FileDescriptorProto) -> Iterator[tuple[Path, str]]:
    for i, message in enumerate(file.message_type):
        yield from _of_message((_MESSAGES, i), file.package, message)
    for i, enum in enumerate(file.enum_type):
        yield from _of_parts((_ENUMS, i), file.package, enum, enum.value)
    for i, service in enumerate(file.service):
        yield from _of_parts((_SERVICES, i), file.package, service, service.method)


def _of_message(path: Path, scope: str, message: Any) -> Iterator[tuple[Path, str]]:
    yield from _of_parts(path, scope, message, message.field, _FIELDS)
    name = f"{scope}.{message.name}"
    for i, nested in enumerate(message.nested_type):
        yield from _of_message((*path, _NESTED, i), name, nested)
    for i, enum in enumerate(message.enum_type):
        yield from _of_parts((*path, _NESTED_ENUMS, i), name, enum, enum.value)


def _of_parts(
    path: Path, scope: str, whole: Any, parts: Any, kind: int = _PARTS
) -> Iterator[tuple[Path, str]]:
    """Itself and its fields, methods or values; here a value's name has its enum's before it."""
    name = f"{scope}.{whole.name}"
    yield path, name
    for i, part in enumerate(parts):
        yield (*path, kind, i), f"{name}.{part.name}"
