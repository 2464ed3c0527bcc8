"""Runs with a memory doubted: what was kept, shrunk and adopted, and what was forged in them."""

import shutil
import sqlite3

import jax.numpy as jnp
import numpy as np
import pytest
from verify_samples import Sample, copied, named, records, rewrite, unchecked

import aniso_jax as aj
from aniso_jax.audit.attack.config import Attack
from aniso_jax.audit.attack.run import attack_run, target_of
from aniso_jax.audit.attack.target import Effort
from aniso_jax.audit.open import open_run_again
from aniso_jax.audit.verify.apart import is_apart
from aniso_jax.audit.verify.findings import lines
from aniso_jax.memory.opening import memory_bound, open_bound
from aniso_jax.records.directory import read_experiment

QUICK = Effort(climbs=4, steps=4, draws=64, turns=2, ends=2, screen=256, confirmed=2)


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """Images, some equal or all but equal to the first that is certified."""
    sample = Sample(tmp_path_factory.mktemp("remembered"))
    with np.load(sample.data) as content:
        x, y = content["x"].copy(), content["y"].copy()
    base = next(row for row in records(sample.run("first")) if row["prediction"] >= 0)["index"]
    for near in range(base + 1, base + 4):
        x[near], y[near] = x[base] + np.float32(1e-6 * near), y[base]
    x[base + 4], y[base + 4] = x[base], y[base]
    np.savez(sample.data, x=x, y=y)
    return sample


@pytest.fixture(scope="module")
def remembered(sample):
    """(run, memory, records) where two regions of others crowd and hold two of its inputs."""
    path, x = sample.root / "m.sqlite", np.load(sample.data)["x"]
    alone = records(sample.run("alone", limit=16))
    late = [row for row in alone if row["prediction"] >= 0 and row["index"] > 7]
    first, second = sorted(late, key=lambda row: row["radius"])[-2:]
    weights = aj.load_model(str(sample.network)).fingerprint
    about = {"weights": weights, "law": aj.gaussian, "shape": x.shape[1:], "alpha": 0.01}
    with aj.memory_open(path, **about) as memory:
        for row, off in ((first, 0.2), (second, 0.001)):
            center = x[row["index"]].copy()
            center.flat[0] += np.float32(off)
            memory.ask(ball(center, 0.1), (row["prediction"] + 1) % 3, draws="others")
    run = sample.run("remembered", limit=16, memory=path)
    return run, path, records(run)


def ball(center, gap) -> aj.Region:
    scale = aj.Isotropic(sigma=jnp.float32(1))
    return aj.Region(center=jnp.asarray(center), scale=scale, gap=jnp.float32(gap), order=2)


def test_a_sound_run_gives_no_finding(sample, remembered):
    run, path, rows = remembered
    assert {"kept", "shrunk", "adopted"} <= {row["memory"] for row in rows}
    assert any(row["memory"] == "adopted" and row["memory_region"] > 2 for row in rows)
    alone = sample.verify(run)
    assert alone.findings == ()
    said = "\n".join(alone.skipped)
    assert "regions of other runs in " in said
    assert "1 answers that rest on them, and the file itself: give --memory FILE" in said
    whole = sample.verify(run, memory=path, replay=2)
    assert whole.findings == ()
    assert [what.partition(",")[0] for what in unchecked(whole)] == ["that 1 regions of other runs"]
    assert "; 1 thing was not" in lines(whole)[-1] or len(whole.skipped) == 2


CHANGES = {
    "kept": [
        ("gap", lambda row: row["gap"] * 1.001),
        ("prediction", lambda row: (row["prediction"] + 1) % 3),
        ("own_gap", lambda row: row["own_gap"] * 1.001),
        ("own_prediction", lambda row: (row["own_prediction"] + 1) % 3),
        ("memory_region", lambda row: None),
        ("memory_region", lambda row: 1),
        ("memory_cost", lambda row: 0.1),
        ("memory", lambda row: "shrunk"),
        ("claimed_theta", lambda row: [1.0] * 16),
    ],
    "shrunk": [
        ("gap", lambda row: row["own_gap"]),
        ("gap", lambda row: row["gap"] * 1.01),
        ("prediction", lambda row: -1),
        ("memory_cost", lambda row: row["memory_cost"] + 1e-4),
    ],
    "adopted": [
        ("claimed_theta", lambda row: None),
        ("claimed_theta", lambda row: [2.0] * 16),
        ("gap", lambda row: row["gap"] * 1.01),
        ("prediction", lambda row: (row["prediction"] + 1) % 3),
        ("memory_region", lambda row: 10**6),
        ("radius", lambda row: row["radius"] * 1.001),
        ("domain_log_volume", lambda row: row["domain_log_volume"] - 1),
        ("memory", lambda row: "kept"),
    ],
}


@pytest.mark.parametrize(
    ("verdict", "column", "change"),
    [(verdict, *pair) for verdict, pairs in CHANGES.items() for pair in pairs],
)
def test_a_changed_record_is_found(sample, remembered, tmp_path, verdict, column, change):
    whole, path, _ = remembered
    run = copied(whole, tmp_path / "run")
    rows = records(run)
    row = next(row for row in rows if row["memory"] == verdict)
    row[column] = change(row)
    rewrite(run, rows)
    where = f"input {row['index']}"
    assert where in {place for place, _ in named(sample.verify(run, memory=path))}


def test_what_the_records_say_against_each_other_is_found_without_the_file(
    sample, remembered, tmp_path
):
    """Two records that each would stand alone: their class is another, votes and all."""
    run = copied(remembered[0], tmp_path / "run")
    rows = records(run)
    near = next(r for r in rows if r["memory"] == "adopted" and r["memory_region"] > 2)
    owner = next(r for r in rows if r["memory_region"] == near["memory_region"])
    swapped = (1, 2, 0)
    for column in ("prediction", "own_prediction"):
        owner[column] = swapped[owner[column]]
    for votes in (owner["selection_votes"], *owner["votes"]):
        votes[:] = votes[2:] + votes[:2]
    owner["correct"] = owner["label"] == owner["prediction"]
    rewrite(run, rows)
    found = sample.verify(run).findings
    assert {finding.where for finding in found} >= {f"input {near['index']}"}
    said = {finding.said for finding in found}
    assert "the region that it names has this class" in said
    assert f"the input lies in region {near['memory_region']}, of this class" in said


def test_regions_that_meet_are_found_without_the_file(sample, remembered, tmp_path):
    """A record whose memory, it says, did not shrink what it had to."""
    run = copied(remembered[0], tmp_path / "run")
    rows = records(run)
    near = next(r for r in rows if r["memory"] == "adopted" and r["memory_region"] > 2)
    near.update(memory="kept", claimed_theta=None, memory_region=10**6, memory_cost=0.0)
    near["prediction"] = near["own_prediction"] = (near["prediction"] + 1) % 3
    near["gap"] = near["own_gap"]
    rewrite(run, rows)
    said = {finding.said for finding in sample.verify(run).findings}
    assert any(words.startswith("it may meet region ") for words in said)


def test_a_second_record_of_one_region_is_found(sample, remembered, tmp_path):
    """An equal input adopts what the first one stored, and cannot claim it as its own again."""
    run = copied(remembered[0], tmp_path / "run")
    rows = records(run)
    ids = [row["input_id"] for row in rows]
    again = next(row for at, row in enumerate(rows) if row["input_id"] in ids[:at])
    first = rows[ids.index(again["input_id"])]
    assert (again["memory"], again["memory_region"]) == ("adopted", first["memory_region"])
    kept = {name: first[name] for name in first if name not in ("index", "label", "correct")}
    again.update(kept)
    rewrite(run, rows)
    said = {(f.where, f.said) for f in sample.verify(run, memory=remembered[1]).findings}
    assert (f"input {again['index']}", "each record stores a region of its own, in order") in said


def test_a_joint_claim_rests_on_no_region_of_others(sample, tmp_path):
    path = sample.root / "joint.sqlite"
    run = sample.run("joint", limit=8, memory=path, simultaneous=True)
    assert sample.verify(run, memory=path).findings == ()
    experiment, stored = read_experiment(run), memory_bound(path)
    with open_bound(path, stored) as memory:
        memory.ask(ball(np.full((4, 4, 1), 9, np.float32), 1.0), 0, draws="others")
        count = memory.count()
    said = [finding.said for finding in sample.verify(run, memory=path).findings]
    assert said == [f"region {count} is none of the run's, whose claim is joint"]
    forged = copied(run, tmp_path / "run")
    rows = records(forged)
    near = next(row for row in rows if row["memory"] == "adopted")
    near["memory_region"] = count
    rewrite(forged, rows)
    assert experiment.joint_alpha == 0.01
    found = {(f.where, f.said) for f in sample.verify(forged).findings}
    assert (f"input {near['index']}", "a joint claim rests on the run's own regions alone") in found


@pytest.fixture(scope="module")
def path_between(tmp_path_factory):
    """Images between two classes, close together, and all of them once more."""
    between = Sample(tmp_path_factory.mktemp("between"))
    model = aj.load_model(str(between.network))
    with np.load(between.data) as content:
        x = content["x"]
    classes = np.argmax(np.array(model.apply_fn(model.params, jnp.asarray(x))), -1)
    other = next(at for at in range(len(x)) if classes[at] != classes[0])
    shares = np.linspace(0.3, 0.7, 24, dtype=np.float32)[:, None, None, None]
    steps = (1 - shares) * x[0] + shares * x[other]
    np.savez(between.data, x=np.concatenate([steps, steps]), y=np.zeros(48, int))
    return between


def test_an_equal_input_is_answered_by_what_was_stored_since(path_between):
    path = path_between.root / "m.sqlite"
    run = path_between.run("twice", n0=1, memory=path, limit=48)
    rows = [row for part in range(3) for row in records(run, part)]
    before, after = rows[:24], rows[24:]
    pairs = list(zip(before, after, strict=True))
    assert any((a["memory"], b["memory"]) == ("abstained", "adopted") for a, b in pairs)
    assert not any(row["memory"] in ("kept", "shrunk") for row in after)
    assert path_between.verify(run, memory=path).findings == ()


def test_another_memory_and_one_that_is_not_asked_for_are_refused(sample, remembered, tmp_path):
    run, path, _ = remembered
    model = aj.load_model(str(sample.network))
    for alpha, said in ((0.01, "has the number "), (0.02, "remembers another classifier")):
        other = tmp_path / f"{alpha}.sqlite"
        about = {"law": aj.gaussian, "shape": model.shape, "alpha": alpha}
        aj.memory_open(other, weights=model.fingerprint, **about).close()
        with pytest.raises(ValueError, match=said):
            sample.verify(run, memory=other)
    with pytest.raises(ValueError, match="the run has no memory: leave it out"):
        sample.verify(sample.run("alone", limit=16), memory=path)


def test_a_damaged_memory_is_a_finding(sample, remembered, tmp_path):
    run, path, _ = remembered
    other = tmp_path / "m.sqlite"
    shutil.copy(path, other)
    connection = sqlite3.connect(other)
    with connection:
        connection.execute("UPDATE answers SET label = 1 - label WHERE id = 3")
    connection.close()
    assert "m.sqlite" in {place for place, _ in named(sample.verify(run, memory=other))}


def test_an_attack_aims_at_what_is_claimed(sample, remembered):
    run, _, rows = remembered
    experiment, _, inputs, model = open_run_again(run, **sample.names)
    for row in rows:
        if row["prediction"] >= 0:
            target = target_of(row, experiment, inputs, model, grid=None, seed=0)
            assert float(target.region.gap) == row["gap"]
            sizes = np.ravel(target.region.scale.push(jnp.ones(model.shape)))
            wanted = row["claimed_theta"] or [row["sigma"]] * 16
            assert sizes.tolist() == pytest.approx(wanted)


@pytest.mark.slow
def test_an_attack_refutes_who_adopted_a_false_region(sample, remembered):
    """The region that was put into the memory by hand is no certified one."""
    run, _, rows = remembered
    held = next(row for row in rows if row["memory_region"] == 2)
    found = attack_run(Attack(run=run, n=2000, **sample.names), effort=QUICK)
    assert found.certified == sum(row["prediction"] >= 0 for row in rows)
    assert {index for index, _ in found.counterexamples} == {held["index"]}


def test_disjoint_is_proved_up_to_where_they_touch():
    rng = np.random.default_rng(0)
    for order in (1, 2):
        for _ in range(20):
            a, b = rng.uniform(0.1, 3.0, (2, 30))
            w = rng.normal(size=30)
            dual = np.inf if order == 1 else 2
            support = [np.linalg.norm(axes * w, dual) for axes in (a, b)]
            tips = [tip(axes, w, order) for axes in (a, b)]
            delta = np.abs(tips[0] + tips[1])
            assert w @ (tips[0] + tips[1]) == pytest.approx(sum(support))
            assert is_apart(delta * (1 + 1e-6), a, b, order)
            assert not is_apart(delta * (1 - 1e-6), a, b, order)


def tip(axes, w, order):
    """The point of a region around 0 that lies furthest along w."""
    if order == 2:
        return axes**2 * w / np.linalg.norm(axes * w)
    point = np.zeros_like(w)
    longest = np.argmax(np.abs(axes * w))
    point[longest] = axes[longest] * np.sign(w[longest])
    return point
