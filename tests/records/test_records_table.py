import numpy as np
import pyarrow as pa
import pytest
from run_samples import sample_columns, sample_experiment, sample_indices, sample_table

from aniso_jax.records import schema
from aniso_jax.records.content import content_hash
from aniso_jax.records.parts import parquet_bytes
from aniso_jax.records.table import part_table


def test_docstring_table_and_schema_say_the_same():
    body = schema.__doc__.split("====\n")[2]
    documented = [(line[:21].strip(), line[21:49].strip(), line[49:].strip()) for line in
                  body.splitlines() if not line.startswith("=")]  # fmt: skip
    spelt = {"double": "float64", "float": "float32"}
    built = []
    for field in schema.COLUMNS:
        kind = str(field.type).replace("item: ", "").replace("element: ", "")
        for name, written in spelt.items():
            kind = kind.replace(f"<{name}>", f"<{written}>") if "<" in kind else kind
        kind = spelt.get(kind, kind) + (" or null" if field.nullable else "")
        built.append((field.name, kind, field.metadata[b"description"].decode()))
        assert field.metadata[b"unit"]
    assert documented == built


def test_arrays_become_rows_without_loss():
    columns = sample_columns(sample_indices(5))
    table = part_table(columns)
    assert table["votes"].to_pylist() == columns["votes"].tolist()
    assert table["theta"].to_pylist() == columns["theta"].reshape(5, -1).tolist()
    assert table["domain_log_volume"].null_count == 5
    assert table["capped_share"].to_pylist() == [None] * 4 + [0.5]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("gap", np.zeros(5), "column gap: wanted float; float64 does not fit without rounding"),
        ("label", np.full(5, 2**40), "column label: wanted int32"),
        ("label", np.zeros(5, np.float32), "column label: wanted int32; float32 does not fit"),
        ("hits", np.zeros(4, np.int64), "column hits has 4 rows, index has 5"),
        ("p_lower", np.full(5, np.nan), "column p_lower holds NaN"),
        ("p_lower", None, "column p_lower has 5 nulls"),
        ("votes", np.zeros((5, 2), np.int64), "too few axes"),
        ("theta", np.full((5, 4), np.nan, np.float32), "column theta holds NaN"),
        ("radius2", None, "the columns radius2 are missing or unknown"),
    ],
)
def test_bad_columns_are_named(name, value, sentence):
    with pytest.raises(ValueError) as error:
        part_table(sample_columns(sample_indices(5)) | {name: value})
    assert sentence in str(error.value)


def same_table_three_ways():
    whole = sample_table(sample_indices(9))
    chunked = pa.concat_tables([whole.slice(0, 2), whole.slice(2, 3), whole.slice(5)])
    longer = pa.concat_tables([whole.slice(4, 3), whole]).combine_chunks()
    return whole, chunked, longer.slice(3)


def test_equal_tables_have_equal_bytes_and_hashes():
    ways = same_table_three_ways()
    assert len({parquet_bytes(table) for table in ways}) == 1
    assert len({content_hash(table) for table in ways}) == 1


@pytest.mark.parametrize("name", [field.name for field in schema.COLUMNS])
def test_content_hash_sees_every_column(name):
    table = sample_table(sample_indices(4))
    at = table.schema.get_field_index(name)
    swapped = table.set_column(at, table.schema.field(at), table[name].take([0, 1, 3, 2]))
    same = table[name].to_pylist()[2] == table[name].to_pylist()[3]
    assert (content_hash(swapped) == content_hash(table)) is same


def test_content_hash_sees_metadata_nulls_and_list_borders():
    def hashed(values, kind, metadata=None):
        return content_hash(
            pa.table({"a": pa.array(values, kind)}).replace_schema_metadata(metadata)
        )

    lists = pa.list_(pa.int64())
    assert hashed([[1], [2, 3]], lists) != hashed([[1, 2], [3]], lists)
    assert hashed([None], lists) != hashed([[]], lists)
    assert hashed([None, 1], pa.int64()) != hashed([0, 1], pa.int64())
    assert hashed(["a", "bc"], pa.string()) != hashed(["ab", "c"], pa.string())
    assert hashed([1], pa.int64(), {"a": "b"}) != hashed([1], pa.int64())


def test_schema_carries_the_experiment():
    experiment = sample_experiment()
    assert schema.experiment_of(schema.run_schema(experiment)) == experiment
    with pytest.raises(ValueError, match="carries no experiment"):
        schema.experiment_of(pa.schema([]))
