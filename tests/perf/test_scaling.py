"""The script runs and counts right; what it times decides no test."""

from perf.scaling import growth, partitionings


def test_a_row_of_the_growth_table():
    row = growth((1, 1))
    assert (row["chips"], row["cores"], row["logical_cores"]) == (1, 122, 121)
    assert 0 < row["pairs"] <= 20 * 100 + 100
    assert row["messages"] > row["pairs"]
    assert {"evaluate_s", "mesh_s", "peak_gb", "ns_per_pair"} <= row.keys()


def test_a_row_of_the_partitioning_table():
    row = partitionings("mlp-xs")
    assert row["benchmark"] == "mlp-xs"
    assert row["new_ms"] > 0
    assert row["one_count_changed_ms"] > 0
