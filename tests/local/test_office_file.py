"""Kecamatan files: YAML read as JSON means it, anything doubtful refused with its line."""

import pytest

from services.local.errors import LocalError
from services.local.office_file import code_of, read

HEAD = 'spec:\n  code: "73.71.03"\n'


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "office.yaml"
        path.write_text(text, "utf-8")
        return path

    return write


def test_times_dates_and_words_stay_text(file):
    (office,) = read(
        file(HEAD + "  x: [13:00, 07:30, 2026-12-25, no, on, 90s, 12e3, 0x1F, 007, 1_0]\n")
    )
    assert office["spec"]["x"] == [
        *("13:00", "07:30", "2026-12-25", "no", "on"),
        *("90s", "12e3", "0x1F", "007", "1_0"),
    ]


def test_numbers_truth_and_nothing_do_not(file):
    (office,) = read(file(HEAD + "  x: [200, -3, 0, 1.5, true, False, null, ~, ]\n"))
    assert office["spec"]["x"] == [200, -3, 0, 1.5, True, False, None, None]


def test_a_code_without_quotes_stays_text(file):
    (office,) = read(file("spec: {code: 73.71.03}"))
    assert code_of(office) == "73.71.03"


def test_several_documents_are_several_offices(file):
    text = "---\nspec: {code: 73.71.01}\n---\nspec: {code: 73.71.02}\n---\n"
    assert [code_of(office) for office in read(file(text))] == ["73.71.01", "73.71.02"]


def test_a_file_may_be_json(file):
    assert code_of(read(file('{"spec": {"code": "73.71.03"}}'))[0]) == "73.71.03"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + "  name: A\n  name: B\n", ", line 4: the key name stands twice"),
        (HEAD + "  1: one\n", ", line 3: the key 1 is not text: quote it"),
        (HEAD + "  x: [\n", ", line 4: expected the node content"),
        (HEAD + "  x: *nobody\n", ", line 3: found undefined alias"),
        (HEAD + "  x: !!python/object/apply:os.system [ls]\n", ", line 3: could not determine"),
        (HEAD + "  x: !!timestamp 2026-12-25\n", ", line 3: could not determine"),
        (HEAD + "  x: &x [*x]\n", ", line 3: found unconstructable recursive node"),
        ("", ": no Kecamatan in it"),
        ("- a\n- b\n", ": spec.code must be a Kemendagri code as text"),
        ("spec: {name: Makassar}", ": spec.code must be"),
        ("spec: {code: 7371}", ": spec.code must be"),
        ('spec: {code: "../../x"}', ": spec.code must be"),
        ("spec: 7", ": spec.code must be"),
    ],
)
def test_what_cannot_be_is_one_line_with_file_and_place(file, text, said):
    path = file(text)
    with pytest.raises(LocalError) as error:
        read(path)
    assert str(error.value).startswith(f"{path}{said}")
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(("open_", "close"), [("[", "]"), ("{a: ", "}"), ("- ", "x")])
def test_a_file_nested_beyond_reason_is_one_line(file, open_, close):
    with pytest.raises(LocalError, match=r"office.yaml: nested too deeply$"):
        read(file(open_ * 3000 + close * 3000))


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(LocalError, match="No such file"):
        read(tmp_path / "nothing.yaml")


def test_a_file_in_another_encoding_is_one_line(tmp_path):
    path = tmp_path / "latin.yaml"
    path.write_bytes("spec: {name: Żółć}".encode("iso-8859-2"))
    with pytest.raises(LocalError, match="not UTF-8"):
        read(path)


def test_an_overlong_file_is_refused(file):
    with pytest.raises(LocalError, match="more than 1000000 characters"):
        read(file("#" * 1_000_001))
