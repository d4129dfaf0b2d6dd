"""The README, the pins and CI say what is so."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lib.disclosure import meanings
from lib.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
WITHOUT_IMPORT = {
    "authlib",  # Streamlit's sign-in
    "psycopg",  # SQLAlchemy's driver, by URL
    "tzdata",  # zoneinfo's data
    "uvicorn",  # the server, under Streamlit or from the command line
}


def section(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
    assert found, f"README has no section {title}"
    return found[1]


def first_cells(title: str) -> list[str]:
    return re.findall(r"^\| `([^`]+)`", section(title), re.MULTILINE)


def test_the_settings_table_names_every_setting_with_its_default() -> None:
    assert sorted(first_cells("Settings")) == sorted(name.upper() for name in Settings.model_fields)
    rows = dict(re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|", section("Settings"), re.MULTILINE))
    plain = {
        "CHECKOUT_TIMEOUT_SECONDS",
        "TIMEZONE",
        "SETTLEMENT_CUTOFF_HOUR",
        "KAKAOPAY_CURRENCIES",
        "OPERATOR_NAME",
        "ROLES_CLAIM",
    }
    assert plain <= rows.keys()
    for name in plain:
        default = Settings.model_fields[name.lower()].default
        assert str(type(default)(rows[name])) == str(default)


def test_the_settings_table_says_what_the_settings_screen_says() -> None:
    rows = dict(re.findall(r"^\| `([^`]+)` \| [^|]+ \| (.+) \|$", section("Settings"), re.MULTILINE))
    for name in Settings.model_fields:
        meaning = meanings().get(name, "").partition(". ")[0].rstrip(".")
        assert meaning, name
        assert rows[name.upper()].lower().startswith(meaning.lower()), name


def test_the_map_of_the_house_names_what_is_there_and_leaves_nothing_of_lib_out() -> None:
    named = {
        path for cell in re.findall(r"^\| (`.+?) \|", section("The house"), re.MULTILINE) for path in cell.split("`")
    }
    paths = {path for path in named if path.strip(", ")}
    for path in paths:
        assert (ROOT / path).exists(), path
    held = {f"lib/{each.name}" for each in (ROOT / "lib").glob("[a-z]*.py")}
    held |= {f"lib/{each.parent.name}/" for each in (ROOT / "lib").glob("*/__init__.py")}
    assert held <= paths


def test_every_link_into_the_repository_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", README):
        if "://" not in target:
            assert (ROOT / target).exists(), target


def test_every_module_to_run_is_there() -> None:
    modules = re.findall(r"python -m ((?:lib|tests)[\w.]*)", README)
    assert modules
    for module in modules:
        assert importlib.util.find_spec(module), module


def test_ci_takes_both_commands_from_here() -> None:
    shown = subprocess.run([ROOT / ".ci" / "run", "--show"], capture_output=True, text=True, check=True).stdout
    run, test = shown.splitlines()
    assert f"```sh\n{run}\n```" in README
    assert f"```sh\n{test}\n```" in README
    assert run.endswith("streamlit run app.py")
    assert "tests/requirements.txt" in test
    assert "pytest" in test
    assert "pytest" not in (ROOT / ".ci" / "run").read_text("utf-8")


@pytest.mark.parametrize("name", ["requirements.txt", "tests/requirements.txt"])
def test_every_requirement_is_pinned_to_what_runs_here_and_says_why(name: str) -> None:
    for line in (ROOT / name).read_text("utf-8").splitlines():
        if line.startswith(("#", "-r ")):
            continue
        found = re.fullmatch(r"([a-z0-9-]+)(?:\[[a-z,]+\])?==(\S+) +# .{5,}", line)
        assert found, line
        assert importlib.metadata.version(found[1]) == found[2]


def test_the_product_imports_exactly_what_is_required() -> None:
    provided = importlib.metadata.packages_distributions()
    sources = [ROOT / "app.py", *(ROOT / "lib").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]
    imported = set()
    for source in sources:
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                imported.add(node.module.partition(".")[0])
    outside = imported - sys.stdlib_module_names - {"lib", "pages", "app"}
    distributions = {provided[module][0].lower().replace("_", "-") for module in outside}
    required = set(re.findall(r"^([a-z0-9-]+)[\[=]", (ROOT / "requirements.txt").read_text("utf-8"), re.MULTILINE))
    assert distributions <= required
    assert required - distributions <= WITHOUT_IMPORT
