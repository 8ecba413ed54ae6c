"""The rules of the house, as far as import-linter does not check them already."""

import ast
import io
import re
import subprocess
import sys
import tokenize
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from services.chassis.access import rules
from services.chassis.errors import catalogue
from tunggu.notify.v1 import notify_pb2, webhooks_pb2, whatsapp_pb2
from tunggu.queue.v1 import kecamatan_pb2, queue_pb2
from tunggu.survey.v1 import figures_pb2, index_pb2, survey_pb2

ROOT = Path(__file__).parent.parent
SERVICES = ROOT / "services"
MODULES = sorted(SERVICES.rglob("*.py"))
SCRIPTS = sorted(SERVICES.rglob("*.lua"))
PROCESSES = {"queue", "gateway", "notify", "survey", "controller", "printer"}
# Verbs that write an event, as DESIGN and docs/RULES.md name them.
VERBS = """
CreateTicket CallNextTicket RecallTicket StartTicket CompleteTicket SkipTicket HoldTicket
ReturnTicket TransferTicket CancelTicket CheckInTicket SetTicketLane RequeueTicket OpenCounter
CloseCounter SetCounterServices StopIssuing ResumeIssuing
""".split()


def name_of(path: Path) -> str:
    """For test ids and messages."""
    return str(path.relative_to(ROOT))


def snake(verb: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", verb).lower()


def imports(path: Path) -> set[str]:
    """The modules that a file imports absolutely, in full."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def code_lines(source: str) -> int:
    """Lines that hold code: neither blank, nor a comment, nor a docstring."""
    ignored = {
        tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
        tokenize.ENDMARKER,
    }  # fmt: skip
    lines: set[int] = set()
    for part in tokenize.generate_tokens(io.StringIO(source).readline):
        if part.type not in ignored:
            lines.update(range(part.start[0], part.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        if isinstance(node, documented) and ast.get_docstring(node) is not None:
            text = node.body[0]
            lines -= set(range(text.lineno, (text.end_lineno or text.lineno) + 1))
    return len(lines)


# --- the tree -----------------------------------------------------------------


def test_services_holds_what_is_shared_the_processes_and_their_launcher_and_nothing_else():
    packages = {path.parent.name for path in SERVICES.glob("*/__init__.py")}
    assert packages <= PROCESSES | {"chassis", "redis_link", "queue_link", "local"}
    assert [path.name for path in SERVICES.glob("*.py")] == ["__init__.py"]


def test_a_service_has_a_main_and_a_config():
    for service in PROCESSES:
        folder = SERVICES / service
        if (folder / "__init__.py").exists():
            assert (folder / "__main__.py").exists(), service
            assert (folder / "config.py").exists(), service


def test_every_folder_of_tests_is_a_package():
    folders = {path.parent for path in (ROOT / "tests").rglob("*.py")}
    assert [name_of(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_beside_queue_no_module_repeats_a_name_of_the_standard_library_or_a_dependency():
    taken = sys.stdlib_module_names | packages_distributions().keys() - {"services", "tests"}
    names = {path.stem if path.stem != "__init__" else path.parent.name for path in MODULES}
    # `python -m services.chassis.token` is the command's published name.
    assert names & taken <= {"queue", "token", "__main__"}


def test_no_generated_stub_and_no_build_output_is_tracked():
    command = ["git", "ls-files"]
    tracked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    built = re.compile(r"_pb2(_grpc)?\.pyi?$|^(build|dist|\.venv|\.tunggu)/|\.pyc$")
    assert [path for path in tracked.stdout.splitlines() if built.search(path)] == []


def test_every_make_target_that_a_page_names_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / ".ci" / "run"):
        named = set(re.findall(r"(?:^|`|&& )make ([a-z]+)", page.read_text("utf-8"), re.MULTILINE))
        assert named <= targets, page.name


# --- sizes --------------------------------------------------------------------


def test_the_chassis_stays_within_800_lines_of_code():
    chassis = (SERVICES / "chassis").rglob("*.py")
    assert sum(code_lines(path.read_text("utf-8")) for path in chassis) <= 800


@pytest.mark.parametrize("path", sorted(SERVICES.glob("*/__main__.py")), ids=name_of)
def test_a_main_is_a_composition_root_of_at_most_40_lines(path):
    assert len(path.read_text("utf-8").splitlines()) <= 40


# --- imports ------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted((SERVICES / "chassis").rglob("*.py")), ids=name_of)
def test_the_chassis_imports_no_proto_of_ours_but_access(path):
    ours = {name for name in imports(path) if name.startswith("tunggu.")}
    assert all(name.startswith("tunggu.access.") for name in ours)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_says_what_it_is_for(path):
    assert ast.get_docstring(ast.parse(path.read_text("utf-8")))


IMPORT_ALL = """
import importlib, pathlib, sys
root = pathlib.Path(sys.argv[1])
wanted = ["socket.connect", "socket.bind", "subprocess.Popen", "os.mkdir", "os.remove"]
done = []
sys.modules["kubernetes"] = None  # of the workshop; kopf would take it along, which binds a port

def watch(event, args):
    if event in wanted:
        done.append(f"{event} {args[-1]}")
    if event == "open" and isinstance(args[0], (str, bytes)):
        path, mode = pathlib.Path(str(args[0])), args[1] or "r"
        ours = path.is_relative_to(root) and not path.is_relative_to(sys.prefix)
        if set(mode) & set("wax+") or (ours and path.suffix not in (".py", ".pyc")):
            done.append(f"open {path} {mode}")

modules = [path.relative_to(root).with_suffix("") for path in root.glob("services/**/*.py")]
sys.addaudithook(watch)
for module in sorted(modules):
    importlib.import_module(".".join(module.parts).removesuffix(".__init__"))
print("\\n".join(done))
"""


def test_importing_a_module_does_nothing():
    ran = subprocess.run(
        [sys.executable, "-P", "-B", "-c", IMPORT_ALL, str(ROOT)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split("\n") == ["", ""]


# --- refusals -----------------------------------------------------------------


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_servicers_raise_reasons_and_never_abort(path):
    aborts = re.findall(r"context\.(?:abort|set_code)\b", path.read_text("utf-8"))
    assert not aborts or path.name == "errors.py"


@pytest.mark.parametrize("path", [*MODULES, *SCRIPTS], ids=name_of)
def test_every_reason_that_is_given_stands_in_the_catalogue(path):
    given = re.findall(r"(?:Problem|refuse)\(\s*['\"]([A-Z_]+)['\"]", path.read_text("utf-8"))
    assert set(given) <= catalogue().keys()


def test_every_method_of_the_protos_says_whom_it_admits():
    modules = (
        queue_pb2,
        kecamatan_pb2,
        survey_pb2,
        index_pb2,
        figures_pb2,
        notify_pb2,
        webhooks_pb2,
        whatsapp_pb2,
    )
    files = [module.DESCRIPTOR for module in modules]
    assert rules(service for file in files for service in file.services_by_name.values())


# --- verbs and scripts ----------------------------------------------------------


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_has_one_name_in_rpc_store_and_script(verb):
    service = queue_pb2.DESCRIPTOR.services_by_name["QueueService"]
    assert verb in service.methods_by_name
    assert f"async def {verb}(" in (SERVICES / "queue" / "servicer.py").read_text()
    assert f"async def {snake(verb)}(" in (SERVICES / "queue" / "store.py").read_text()
    script = SERVICES / "queue" / "lua" / f"{snake(verb)}.lua"
    assert script.read_text().startswith(f"-- {verb}: ")


def test_no_verb_reorders():
    forbidden = re.compile(r"(reorder|swap|promote|demote|move|insert)", re.IGNORECASE)
    for service in queue_pb2.DESCRIPTOR.services_by_name.values():
        assert not [method.name for method in service.methods if forbidden.search(method.name)]


def contract(source: str) -> dict[str, str]:
    """What the header documents: `KEYS[1]` → name."""
    header = re.match(r"(?:--.*\n)*", source)
    line = re.compile(r"^-- ((?:KEYS|ARGV)\[\d+\]) (\w+)", re.MULTILINE)
    return dict(line.findall(header[0] if header else ""))


def bindings(source: str) -> list[tuple[str, str]]:
    """Each use of KEYS and ARGV with the local that a `local a, b = …` binds it to, or ""."""
    code = re.sub(r"--.*", "", source)
    found: list[tuple[str, str]] = []
    for names, values in re.findall(r"^local ([\w, ]+?) = (.*)$", code, re.MULTILINE):
        locals_ = [name.strip() for name in names.split(",")]
        for local, value in zip(locals_, re.split(r",\s*(?![^(]*\))", values), strict=False):
            found += [(used, local) for used in re.findall(r"(?:KEYS|ARGV)\[\d+\]", value)]
    used = re.findall(r"(?:KEYS|ARGV)\[[^\]]*\]", code)
    return found + [(use, "") for use in used[len(found) :]]


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_a_script_opens_with_its_contract(path):
    source = path.read_text("utf-8")
    assert source.startswith("-- ")
    for other in re.findall(r"as in (\w+\.lua)", source):
        assert (path.parent / other).exists(), other
    if not path.name.startswith("_"):
        assert re.search(r"^-- (KEYS\[1\]|KEYS and ARGV\[1\.\.\d+\] as in )", source, re.MULTILINE)
        assert re.search(r"^-- Returns ", source, re.MULTILINE)


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_a_scripts_keys_and_arguments_are_bound_once_to_the_names_of_its_contract(path):
    source = path.read_text("utf-8")
    documented, bound = contract(source), bindings(source)
    assert len(bound) == len(dict(bound)), "used twice"
    assert {use: local.removesuffix("_key") for use, local in bound} == documented


def test_a_scripts_own_arguments_follow_those_of_the_prelude():
    for path in SCRIPTS:
        shared = re.search(r"KEYS and ARGV\[1\.\.(\d+)\] as in (\w+\.lua)", path.read_text())
        if shared:
            first = int(shared[1]) + 1
            own = [int(use[5:-1]) for use in contract(path.read_text()) if use.startswith("ARGV")]
            assert own == list(range(first, first + len(own))), path.name
            prelude = contract((path.parent / shared[2]).read_text())
            assert f"ARGV[{first - 1}]" in prelude
            assert f"ARGV[{first}]" not in prelude
