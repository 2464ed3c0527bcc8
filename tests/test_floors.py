"""The floors of the house, and what `import aniso_jax` brings in."""

import subprocess
import sys
import tomllib
from importlib import resources
from pathlib import Path

import pytest

import aniso_jax as aj

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "aniso_jax"
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"
LATE = (
    "flax optax pandas pyarrow matplotlib tyro ray rich jinja2 safetensors tabulate PIL sklearn "
    "mlxtend selenium pytest onnx datasets equinox orbax"
)
LINES = 250


def lint(directory: Path) -> subprocess.CompletedProcess:
    """The import linter, with the contract of the `pyproject.toml` in a directory."""
    command = [sys.executable, "-c", LINT, "--no-cache"]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True)


def test_a_floor_imports_only_floors_below():
    found = lint(ROOT)
    assert found.returncode == 0, found.stdout
    assert "Contracts: 1 kept, 0 broken." in found.stdout


def test_the_contract_names_every_floor_there_is():
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = contract["contracts"][0]["layers"]
    named = {name.strip() for layer in layers for name in layer.split(":")}
    there = {f"aniso_jax.{path.parent.name}" for path in PACKAGE.glob("*/__init__.py")}
    assert named == there | {"aniso_jax.cli"}


def test_an_import_upwards_breaks_the_contract(tmp_path):
    contract = (ROOT / "pyproject.toml").read_text()
    (tmp_path / "pyproject.toml").write_text(contract)
    for path in PACKAGE.rglob("*.py"):
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    with (tmp_path / "aniso_jax" / "geometry" / "balls.py").open("a") as floor_0:
        floor_0.write("\nimport aniso_jax.report.html\n")
    found = lint(tmp_path)
    assert found.returncode == 1
    assert "aniso_jax.geometry.balls -> aniso_jax.report.html" in found.stdout


def test_importing_the_package_loads_only_what_pure_functions_need():
    code = f"import sys, aniso_jax; print([n for n in {LATE!r}.split() if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", aj.__all__)
def test_every_public_name_is_there_and_says_what_it_is(name):
    value = getattr(aj, name)
    if isinstance(value, int):  # ABSTAIN: its meaning stands beside it in the source
        return
    documented = value if isinstance(value, type) or callable(value) else type(value)
    assert (documented.__doc__ or "").strip()
    assert not documented.__doc__.startswith(f"{name}(")  # what dataclasses write by themselves


def test_public_names_are_sorted_and_nothing_else_is_a_function():
    assert list(aj.__all__) == sorted(aj.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'certified'"):
        aj.certified  # noqa: B018


def test_the_package_is_typed():
    assert (resources.files("aniso_jax") / "py.typed").is_file()


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.name)
def test_source_files_stay_short(path):
    assert len(path.read_text().splitlines()) < LINES
