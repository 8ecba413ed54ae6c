"""The nine-unsur questionnaire as data: questionnaire.toml, read once at the first use."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Question:
    """About one unsur; `options` mean 1 to 4, `code` is U1 to U9."""

    unsur: str
    code: str
    name: str
    text: str
    options: tuple[str, ...]


@dataclass(frozen=True)
class Option:
    """A choice: what is stored, and what people read."""

    value: str
    text: str


@dataclass(frozen=True)
class ProfileQuestion:
    """About the respondent; `field` is the message's."""

    field: str
    text: str
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Questionnaire:
    """`confirmed`: whether the city has confirmed the wording."""

    version: str
    source: str
    confirmed: bool
    questions: tuple[Question, ...]
    profile: tuple[ProfileQuestion, ...]


@cache
def questionnaire() -> Questionnaire:
    """The present version."""
    document = tomllib.loads(Path(__file__).with_name("questionnaire.toml").read_text("utf-8"))
    return Questionnaire(
        document["version"],
        document["source"],
        document["confirmed"],
        tuple(_question(entry) for entry in document["questions"]),
        tuple(_profile(entry) for entry in document["profile"]),
    )


def _question(entry: Mapping[str, Any]) -> Question:
    return Question(**{**entry, "options": tuple(entry["options"])})


def _profile(entry: Mapping[str, Any]) -> ProfileQuestion:
    options = tuple(Option(value, text) for value, text in entry["options"].items())
    return ProfileQuestion(entry["field"], entry["text"], options)
