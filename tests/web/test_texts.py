"""The catalogues: one set of keys in four languages, all of them used."""

import json
import re

import pytest

from services.gateway.pages import WEB

FOLDERS = sorted(path.parent for path in WEB.glob("*/texts.id.json"))
LANGUAGES = ("id", "en", "mak", "bug")
PYTHON = (WEB.parent / "ticket_page.py").read_text("utf-8")


def name(folder):
    return folder.name


def texts(folder, language):
    return json.loads((folder / f"texts.{language}.json").read_text("utf-8"))


def source_of(folder):
    """What uses a folder's texts: its own files; those of core are everybody's."""
    folders = FOLDERS if folder.name == "core" else [folder]
    paths = [path for one in folders for path in (*one.glob("*.js"), *one.glob("*.html"))]
    return "\n".join(path.read_text("utf-8") for path in paths) + PYTHON


def plain(key):
    return key.removesuffix(".one")


@pytest.mark.parametrize("folder", FOLDERS, ids=name)
@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_language_has_the_keys_of_the_source(folder, language):
    keys, source = texts(folder, language), texts(folder, "id")
    assert {plain(key) for key in keys} == {plain(key) for key in source}


@pytest.mark.parametrize("folder", FOLDERS, ids=name)
def test_indonesian_and_english_are_complete(folder):
    for language in ("id", "en"):
        assert all(value.strip() for value in texts(folder, language).values())


@pytest.mark.parametrize("folder", FOLDERS, ids=name)
@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_a_translation_keeps_the_braces_of_the_source(folder, language):
    source = texts(folder, "id")
    for key, value in texts(folder, language).items():
        braces = set(re.findall(r"\{\w+\}", value))
        expected = set(re.findall(r"\{\w+\}", source[plain(key)]))
        assert not value or braces == expected or (key != plain(key) and braces <= expected), key


@pytest.mark.parametrize("folder", FOLDERS, ids=name)
def test_every_text_is_used_and_no_used_text_is_missing(folder):
    source = source_of(folder)
    begun = tuple(re.findall(r"[`\"]([a-z]+\.[\w.]*)\$?\{", source))
    keys = {plain(key) for key in texts(folder, "id")}
    assert [k for k in keys if f'"{k}"' not in source and not k.startswith(begun)] == []
    used = set(re.findall(r'\bt\("([\w.]+)"', source)) | set(
        re.findall(r'data-t(?:-\w+)?="([\w.]+)"', source)
    )
    assert used <= {key for other in FOLDERS for key in texts(other, "id")}


@pytest.mark.parametrize("folder", [f for f in FOLDERS if f.name != "core"], ids=name)
def test_what_stands_in_the_html_is_the_source(folder):
    html = (folder / "index.html").read_text("utf-8")
    known = texts(folder, "id") | texts(WEB / "core", "id")
    for key, inside in re.findall(r'data-t="([\w.]+)"[^>]*>([^<]*)<', html):
        assert inside == known[key], key
    for key, label in re.findall(r'data-t-label="([\w.]+)"[^>]*aria-label="([^"]*)"', html):
        assert label == known[key], key
    for key, hint in re.findall(r'placeholder="([^"]*)"[^>]*data-t-hint="([\w.]+)"', html):
        assert key == known[hint], hint


def test_a_language_that_the_button_offers_is_complete():
    script = (WEB / "core" / "i18n.js").read_text("utf-8")
    offered = re.search(r"OFFERED = \{([^}]*)\}", script)[1]
    for language in re.findall(r"(\w+):", offered):
        for folder in FOLDERS:
            assert all(texts(folder, language).values())
