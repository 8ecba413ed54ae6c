"""The 15 files of Makassar are files that the queue takes."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf import json_format

from services.queue import kecamatan
from tunggu.queue.v1 import kecamatan_pb2

FOLDER = Path(__file__).parent.parent / "kecamatan"
FILES = sorted(FOLDER.glob("*.yaml"))
MORNING, AFTERNOON = ("07:30", "12:00"), ("13:00", "15:30")


def read(path: Path) -> kecamatan_pb2.Kecamatan:
    """As `make apply` does: unknown fields are refused."""
    mapping: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return json_format.ParseDict(mapping, kecamatan_pb2.Kecamatan())


def test_there_are_fifteen_with_the_codes_of_makassar():
    codes = {read(path).spec.code for path in FILES}
    assert codes == {f"73.71.{number:02}" for number in range(1, 16)}


def test_codes_and_names_keep_their_notice():
    assert "Copyright (c) 2017-2025 Cahya DSN" in (FOLDER / "NOTICE").read_text()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_queue_takes_the_file(path):
    file = read(path)
    kecamatan.validate(file.spec.code, file)
    assert file.metadata.name == path.stem
    assert re.fullmatch(r"[a-z]([a-z-]*[a-z])?", path.stem)
    assert path.stem == file.spec.name.lower().replace(" ", "-")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_services_are_published_with_all_six_parts_of_their_standard(path):
    services = read(path).spec.services
    assert [service.code for service in services] == list("ABCDE")
    for service in services:
        parts = [name.name for name, _ in service.standard.ListFields()]
        assert parts == [
            "requirements", "procedure", "duration", "cost", "product", "complaints",
        ]  # fmt: skip
        assert 0 < service.quota.web < service.quota.day


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_service_has_a_counter_and_counters_differ(path):
    spec = read(path).spec
    assert 4 <= len(spec.counters) <= 6
    assert {code for counter in spec.counters for code in counter.services} == set("ABCDE")
    assert len({tuple(counter.services) for counter in spec.counters}) >= 4


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_hours_follow_week_season_and_holidays(path):
    hours = read(path).spec.hours
    assert kecamatan.hours_on(hours, "2026-12-21") == (MORNING, AFTERNOON)
    assert kecamatan.hours_on(hours, "2026-12-18") == (("07:30", "11:30"), AFTERNOON)
    assert kecamatan.hours_on(hours, "2026-12-19") == ()
    assert kecamatan.hours_on(hours, "2026-12-25") == ()
    assert kecamatan.hours_on(hours, "2027-02-08")[0] == ("08:00", "12:00")
    assert kecamatan.hours_on(hours, "2027-03-10") == (MORNING, AFTERNOON)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_texts_for_people_stand_in_both_languages(path):
    for text in read(path).spec.display.running_text:
        assert text.id
        assert text.en
