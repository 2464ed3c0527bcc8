import json

import numpy as np
import pytest
from run_samples import sample_experiment

from aniso_jax.records.experiment import Experiment, differences


def test_json_goes_there_and_back():
    experiment = sample_experiment(stop=40, chunk=4096, alpha=0.1 + 0.2)
    again = Experiment.from_json(experiment.to_json())
    assert again == experiment
    assert again.to_json() == experiment.to_json()
    assert again.hash == experiment.hash


def test_canonical_json_is_sorted_and_numbers_have_one_spelling():
    plain = sample_experiment(sigma=1.0, n=1000)
    loose = sample_experiment(sigma=np.float32(1), n=np.int64(1000), looks=[500, np.int32(1000)])
    assert plain.to_json() == loose.to_json()
    assert list(json.loads(plain.to_json())) == sorted(json.loads(plain.to_json()))


def test_every_field_changes_the_hash():
    experiment = sample_experiment()
    values = json.loads(experiment.to_json())
    changed = {
        **{name: f"{value}x" for name, value in values.items() if isinstance(value, str)},
        **{name: 11 for name, value in values.items() if value is None or type(value) is int},
        "sigma": 0.3,
        "alpha": 0.01,
        "looks": (1000,),
        "shape": (4,),
        "versions": {"jax": "0.11.0"},
        "dtype": "bfloat16",
        "law": "uniform",
        "scale": "file",
        "mode": "grid",
        "shared_draws": True,
        "discount": 1e-9,
    }
    assert set(changed) == set(values)
    hashes = {sample_experiment(**{name: value}).hash for name, value in changed.items()}
    assert len(hashes | {experiment.hash}) == len(values) + 1


def test_differences_are_readable_lines():
    asked = sample_experiment(alpha=0.01, stop=50, versions={"jax": "0.11.0"})
    assert differences(sample_experiment(), asked) == [
        "alpha: the run has 0.001, you asked for 0.01",
        "stop: the run has none, you asked for 50",
        "versions.aniso_jax: the run has 0.1.0, you asked for none",
        "versions.jax: the run has 0.10.0, you asked for 0.11.0",
        "versions.jaxlib: the run has 0.10.0, you asked for none",
    ]
    assert differences(asked, asked) == []


def test_derived_numbers():
    experiment = sample_experiment(inputs=10, part_size=4)
    assert (experiment.parts, experiment.dimension, experiment.unit) == (3, 4, "std")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"law": "normal"}, "law is 'normal'; wanted one of gaussian, uniform, laplace."),
        ({"scale": "auto"}, "scale is 'auto'; wanted one of fixed,"),
        ({"sigma": float("nan")}, "sigma is nan; wanted a finite number."),
        ({"n": 1e4}, "n is 10000.0; wanted a whole number."),
        ({"limit": 2.5}, "limit is 2.5; wanted a whole number."),
        ({"looks": (1.5,)}, "looks is (1.5,); wanted whole numbers."),
        ({"inputs": 0}, "inputs is 0; a run needs at least 1."),
    ],
)
def test_bad_fields_are_named(change, sentence):
    with pytest.raises(ValueError) as error:
        sample_experiment(**change)
    assert sentence in str(error.value)


def test_json_of_another_version_names_the_fields():
    values = json.loads(sample_experiment().to_json())
    del values["alpha"]
    with pytest.raises(ValueError, match="alpha, beta are missing or unknown"):
        Experiment.from_json(json.dumps({**values, "beta": 1}))
