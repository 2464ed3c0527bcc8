import pyarrow.parquet as pq
from run_samples import sample_experiment, sample_parts, sample_table

from aniso_jax.records.claim import claim_of
from aniso_jax.records.parts import part_path, write_part


def test_float_mode_says_in_every_part_that_real_arithmetic_is_assumed(tmp_path):
    experiment = sample_experiment()
    write_part(tmp_path, 0, sample_table(sample_parts(experiment)[0]), experiment)
    carried = pq.read_schema(part_path(tmp_path, 0)).metadata[b"aniso_jax.claim"].decode()
    assert carried == claim_of(experiment)
    assert carried.endswith("Real arithmetic is assumed: noise was added in float32.")
    assert carried.startswith("For each input by itself, with probability at least 0.999 ")


def test_grid_mode_and_joint_claims_say_what_they_are():
    said = claim_of(
        sample_experiment(mode="grid", grid=255, discount=1e-9, alpha=0.0001, joint_alpha=0.05)
    )
    assert said.startswith("For all inputs of the run together, with probability at least 0.95 ")
    assert "multiples of 1/255" in said
    assert "Real arithmetic" not in said


def test_a_memory_is_claimed_by_region_and_not_by_input():
    said = claim_of(sample_experiment(memory="m.sqlite"))
    assert said.startswith("For each input that m.sqlite was asked about, by itself, with prob")
    assert "At most alpha times the inputs asked about are expected to have stored a false" in said
    assert "an adopted answer rests on the stored region it names" in said
    assert "For each input by itself" not in said


def test_a_joint_claim_of_a_memory_is_about_all_its_regions():
    said = claim_of(
        sample_experiment(
            memory="m.sqlite",
            alpha=0.0001,
            joint_alpha=0.05,
            mode="grid",
            grid=255,
            discount=1e-9,
        )
    )
    assert said.startswith("For all inputs that m.sqlite was asked about together, with probabil")
    assert " 0.95 over the draws: " in said
    assert said.endswith("its total variation from the law's is paid for.")
