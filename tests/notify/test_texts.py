"""The texts of messages: whole, in both languages, and short enough for a phone."""

from string import Formatter

import pytest

from services.notify.texts import LANGUAGES, PLACEHOLDERS, Place, document, reply, written
from tests.notify.test_model import NOW, entry

PLACE = Place("Makassar", "Asia/Makassar")
TEXTS = [name for name in document() if name.isupper()]
TITLE, BODY = 50, 170  # characters


def placeholders(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("name", TEXTS)
def test_both_languages_tell_the_same(name):
    for part in ("title", "body"):
        found = [placeholders(document()[name][language][part]) for language in LANGUAGES]
        assert found[0] == found[1], part
        assert found[0] <= PLACEHOLDERS
    assert set(document()[name]) == set(LANGUAGES)


def test_what_is_said_to_a_citizen_in_each_case():
    cases = {
        "A012: 5 nomor lagi": entry(ahead=5),
        "A012: 1 nomor lagi": entry(ahead=1),
        "A012: giliran berikutnya": entry(ahead=0),
        "A012: silakan ke Loket 2": entry("CALLED", counter="2", desk="Loket 2"),
        "A012 terlewat": entry("PASSED_OVER", back=NOW),
        "A012: nomor baru dihentikan": entry("ISSUING_STOPPED", why="power"),
    }
    assert {title: written(due, "id", PLACE)[0] for title, due in cases.items()} == {
        title: title for title in cases
    }


def test_the_local_time_until_which_one_may_return():
    over = entry("PASSED_OVER", back=NOW)
    assert "pukul 10.00" in written(over, "id", PLACE)[1]
    assert "until 10:00" in written(over, "en", PLACE)[1]
    for_good = written(entry("PASSED_OVER"), "en", PLACE)[1]
    assert "take a new number" in for_good


def test_a_counter_is_told_by_its_own_name_or_by_its_sign():
    named = entry("CALLED", counter="2", desk="Meja Pengambilan")
    assert "Meja Pengambilan" in written(named, "id", PLACE)[0]
    assert "counter 2" in written(named, "en", PLACE)[0]
    assert "Loket 2" in written(entry("CALLED", counter="2"), "id", PLACE)[0]


def test_a_reason_that_nobody_has_written_about_reads_as_the_offices_decision():
    odd = entry("ISSUING_STOPPED", why="flood")
    assert "keputusan kantor" in written(odd, "id", PLACE)[1]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["NEAR", "CALLED", "PASSED_OVER", "ISSUING_STOPPED"])
def test_a_phone_has_room_for_it(kind, language):
    place = Place("Kepulauan Sangkarrang", "Asia/Makassar")
    due = entry(kind, number="A0123", ahead=88, counter="12", desk="Loket 12", back=NOW, why="full")
    title, body = written(due, language, place)
    assert len(title) <= TITLE
    assert len(body) <= BODY


def test_replies_name_the_ticket_and_say_how_to_end_it():
    assert "A012" in reply("BOUND", "id", "A012")
    assert "BERHENTI" in reply("BOUND", "id", "A012")
    assert "STOP" in reply("BOUND", "en", "A012")
    assert "dihapus" in reply("RELEASED", "id")
