"""Addresses that no proto declares, found by raw path: exact ones, and templates with {variables}.

A variable stands for one segment, whatever is in it. Absent: methods, and what answers.
"""

import re
from collections.abc import Mapping
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Paths(Generic[Answer]):
    """What answers an address, and the template that logs call it by."""

    def __init__(self, answers: Mapping[bytes, Answer]) -> None:
        self._exact = {path: answer for path, answer in answers.items() if b"{" not in path}
        self._templates = [
            (path.decode(), _pattern(path), answer)
            for path, answer in answers.items()
            if b"{" in path
        ]

    def find(self, raw_path: bytes) -> tuple[str, Mapping[str, str], Answer] | None:
        """The template, its variables as they stand in the path, and the answer; an exact address
        goes before a template."""
        if raw_path in self._exact:
            return raw_path.decode("ascii"), {}, self._exact[raw_path]
        for template, pattern, answer in self._templates:
            if found := pattern.fullmatch(raw_path):
                values = found.groupdict()
                return template, {name: value.decode() for name, value in values.items()}, answer
        return None


def _pattern(template: bytes) -> re.Pattern[bytes]:
    return re.compile(re.sub(rb"\\\{(\w+)\\\}", rb"(?P<\1>[^/]+)", re.escape(template)))
