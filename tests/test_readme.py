"""The README stays true: its Python runs as it stands, its command lines parse, its files exist."""

import re
import shlex
from pathlib import Path

import pytest
import tyro
from foreign_samples import state_of, write_legacy

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


def shortened(line: str) -> list[str]:
    """The command as it stands, with fewer inputs, draws and epochs."""
    line = re.sub(r"--limit \d+", "--limit 2", re.sub(r"--n \d+", "--n 64", line))
    words = shlex.split(line)[1:]
    draws = dict.fromkeys(("certify", "predict", "attack"), ("--n", "64"))
    fewer = {"train": ("--epochs", "1"), "figures": ("--picks", "1"), **draws}
    option, value = fewer.get(words[0], ("", ""))
    return words + ([option, value] if option and option not in words else [])


@pytest.mark.compiles("quickly")
def test_commands_run_in_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    foreign = next((ROOT / "tests/report/published").glob("*.tsv"))
    (tmp_path / "results-of-others.tsv").write_bytes(foreign.read_bytes())
    shape = {"shape": (32, 32, 3), "classes": 10, "widths": (2, 3, 4)}
    write_legacy(tmp_path / "checkpoint.pth.tar", {"state_dict": state_of("resnet20", **shape)})
    for line in command_lines():
        if not line.startswith("aniso-jax figures "):  # minutes: tests/figures draws them
            cli.main(shortened(line))
    for made in ("runs/l2/run.json", "report.html", "l2.tsv", "theta.npz", "net.safetensors"):
        assert (tmp_path / made).stat().st_size > 0


def test_the_demo_table_is_there():
    table = README.split("<!-- demo -->")[1].split("<!-- /demo -->")[0]
    scales = ("fixed", "isotropic", "anisotropic")
    assert all(f"{norm}-{scale}" in table for norm in ("l2", "l1") for scale in scales)


def test_every_command_is_shown():
    shown = {line.split()[1].replace("-", "_") for line in command_lines()} | {"demo"}
    assert shown == {name for _, name in cli._COMMANDS.values()}


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#:]+)\)", README))
def test_linked_files_exist(target):
    assert (ROOT / target).is_file()


def test_floors_named_are_the_folders_that_there_are():
    package = ROOT / "aniso_jax"
    folders = {path.parent.name for path in package.glob("*/__init__.py")}
    assert folders == {name for name in re.findall(r"`(\w+)/`", README) if name != "aniso_jax"}
