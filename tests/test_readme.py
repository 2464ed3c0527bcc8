"""The README stays true: its Python runs as it stands, its command lines parse, its files exist."""

import re
import shlex
from pathlib import Path

import pytest
import tyro

from aniso_jax import cli

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.S | re.M)


def command_lines() -> list[str]:
    lines = "\n".join(blocks("sh")).replace("\\\n", " ").splitlines()
    return [line.partition("#")[0].strip() for line in lines if line.startswith("aniso-jax ")]


def test_python_blocks_run_in_order():
    shared: dict = {}
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), shared)
    labels = shared["many"].label
    assert labels.shape == (4,)


def test_first_snippet_is_short():
    assert len([line for line in blocks("python")[0].splitlines() if line.strip()]) <= 15


@pytest.mark.parametrize("line", command_lines())
def test_command_lines_parse(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = tyro.cli(cli.Command, prog="aniso-jax", args=shlex.split(line)[1:])
    assert type(command) in cli._COMMANDS


def test_every_command_is_shown():
    shown = {line.split()[1] for line in command_lines()} | {"demo"}
    assert {"certify", "report", "export", "optimize", "predict", "train"} <= shown


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#:]+)\)", README))
def test_linked_files_exist(target):
    assert (ROOT / target).is_file()


def test_floors_named_are_the_folders_that_there_are():
    package = ROOT / "aniso_jax"
    folders = {path.parent.name for path in package.glob("*/__init__.py")}
    assert folders == {name for name in re.findall(r"`(\w+)/`", README) if name != "aniso_jax"}
