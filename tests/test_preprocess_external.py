import datetime as dt
import json
import logging
import math
from pathlib import Path
from types import SimpleNamespace

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.csv_types import guess_type
from clustering.feature_columns import prepare_columns
from preprocess_external import main

OUTPUTS = {
    "features": "features.parquet",
    "attributes": "attributes.parquet",
    "columns": "columns.csv",
    "input_quality": "input_quality.json",
    "rejected": "rejected/rows.parquet",
}


def write(path: Path, table: str | dict | pl.DataFrame) -> str:
    """Write CSV text as it stands, anything else as Parquet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(table, str):
        path.write_text(table, encoding="utf-8")
    else:
        pl.DataFrame(table).write_parquet(path)
    return str(path)


def run_files(folder, *tables, wins=None, **changes):
    """Run `main` on tables given as lists of files; `wins` maps a table's position to columns."""
    paths = {name: str(folder / "out" / file) for name, file in OUTPUTS.items()}
    defaults = {
        "attributes": [],
        "sensitive": [],
        "allow_sensitive": [],
        "max_missing_share": 1.0,
        "min_level_share": 0.0,
        "feature_sets": {},
    }
    table_settings = [
        {"files": len(files), "wins": (wins or {}).get(position, [])}
        for position, files in enumerate(tables)
    ]
    files = [file for table in tables for file in table]
    main(
        tables=files[0] if len(files) == 1 else files,
        **paths,
        settings={"tables": table_settings, **defaults, **changes},
    )
    features = pl.read_parquet(paths["features"])
    return SimpleNamespace(
        features=features,
        values={(f, s): v for view, s, f, v in features.iter_rows() if view == "all"},
        names=features["feature"].unique().sort().to_list(),
        attributes=pl.read_parquet(paths["attributes"]),
        columns={r["column"]: r for r in pl.read_csv(paths["columns"]).iter_rows(named=True)},
        report=pl.read_csv(paths["columns"]),
        quality=json.loads(Path(paths["input_quality"]).read_text(encoding="utf-8")),
        rejected=pl.read_parquet(paths["rejected"]),
        bytes={name: Path(path).read_bytes() for name, path in paths.items()},
    )


@pytest.fixture
def run(tmp_path):
    """Run `main` on tables given as CSV text or as columns; each is one file, a, b, c…"""

    def run_tables(*tables, **changes):
        files = [
            [write(tmp_path / f"{name}{'.csv' if isinstance(table, str) else '.parquet'}", table)]
            for name, table in zip("abcdef", tables, strict=False)
        ]
        return run_files(tmp_path, *files, **changes)

    return run_tables


# --- the join ---------------------------------------------------------------------------------


stores_and_values = st.dictionaries(
    st.integers(1, 9), st.none() | st.floats(-1e9, 1e9).map(lambda x: x + 0.0), max_size=6
)


FULL_JOIN = """
    SELECT STORE_NBR, V0, V1, V2
    FROM read_parquet($a) AS a FULL JOIN read_parquet($b) AS b USING (STORE_NBR)
    FULL JOIN read_parquet($c) AS c USING (STORE_NBR)
"""


@settings(max_examples=40, deadline=None)
@given(
    tables=st.lists(stores_and_values, min_size=3, max_size=3).filter(
        lambda tables: any(v is not None for table in tables for v in table.values())
    ),
    is_csv=st.booleans(),
)
def test_every_store_in_is_a_store_out_as_in_a_full_join_by_duckdb(
    tmp_path_factory, tables, is_csv
):
    folder = tmp_path_factory.mktemp("join")
    files = {}
    given_files = []
    for number, (name, table) in enumerate(zip("abc", tables, strict=True)):
        schema = {"STORE_NBR": pl.Int64, f"V{number}": pl.Float64}
        frame = pl.DataFrame(list(table.items()), schema=schema, orient="row")
        files[name] = write(folder / f"{name}.parquet", frame)
        csv = write(folder / f"{name}.csv", frame.write_csv())
        given_files.append([csv if is_csv else files[name]])
    result = run_files(folder, *given_files)

    rows = duckdb.execute(FULL_JOIN, files).fetchall()
    assert result.attributes["store_nbr"].to_list() == sorted(row[0] for row in rows)
    expected = {(f"v{n}", row[0]): row[n + 1] for row in rows for n in range(3)}
    known = {n: {row[n + 1] for row in rows} - {None} for n in range(3)}
    varying = [f"v{n}" for n in range(3) if len(known[n]) > 1]
    constant = [f"v{n}" for n in range(3) if len(known[n]) == 1]
    assert result.names == (varying or constant)
    assert result.values == {key: v for key, v in expected.items() if key[0] in result.names}


def test_the_output_has_one_view_and_is_sorted(run):
    result = run("STORE_NBR,B,A\n2,1,3\n1,2,4\n")
    assert result.features.rows() == [
        ("all", 1, "a", 4.0),
        ("all", 1, "b", 2.0),
        ("all", 2, "a", 3.0),
        ("all", 2, "b", 1.0),
    ]


def test_values_are_neither_rounded_nor_scaled_nor_imputed(run):
    result = run("STORE_NBR,X\n1,0.1234567890123456\n2,-1e300\n3,\n")
    assert result.values == {("x", 1): 0.1234567890123456, ("x", 2): -1e300, ("x", 3): None}


def test_the_order_of_rows_columns_and_tables_changes_no_byte(tmp_path):
    one = ["STORE_NBR,SIZE,KIND", "1,10,a", "2,20,b", "30,30,c", "4,,b"]
    two = ["STORE_NBR,NAME,RACE,OPEN,SIZE", "5,Five,.1,true,1", "1,One,.2,false,2"]
    settings = {"attributes": ["name"], "sensitive": ["race*"], "min_level_share": 0.4}
    files = [
        write(tmp_path / "one.csv", "\n".join(one) + "\n"),
        write(tmp_path / "two.csv", "\n".join(two) + "\n"),
    ]
    first = run_files(tmp_path, [files[0]], [files[1]], wins={0: ["size"]}, **settings)

    def turned(lines):
        return "\n".join(",".join(line.split(",")[::-1]) for line in [lines[0], *lines[:0:-1]])

    write(tmp_path / "one.csv", turned(one) + "\n")
    write(tmp_path / "two.csv", turned(two) + "\n")
    second = run_files(tmp_path, [files[1]], [files[0]], wins={1: ["size"]}, **settings)
    assert first.bytes == second.bytes
    assert first.names == ["kind=OTHER", "kind=b", "open", "size"]


def test_a_column_in_two_tables_is_an_error_that_names_both_and_the_way_out(run):
    with pytest.raises(ValueError, match=r"income in \S*a\.csv and in \S*b\.parquet.*`wins`"):
        run("STORE_NBR,INCOME\n1,1\n", {"store_nbr": [1], "Income": [2]})


def test_a_column_that_two_tables_win_is_an_error(run):
    tables = ["STORE_NBR,X\n1,1\n", "STORE_NBR,X\n1,2\n"]
    with pytest.raises(ValueError, match="exactly one"):
        run(*tables, wins={0: ["X"], 1: ["x"]})


def test_an_attribute_in_two_tables_is_an_error_too(run):
    tables = ["STORE_NBR,NAME\n1,a\n", "STORE_NBR,NAME,X\n1,b,1\n"]
    with pytest.raises(ValueError, match="name in"):
        run(*tables, attributes=["name"])


@pytest.mark.parametrize(("winner", "expected"), [(0, [1, 2, None]), (1, [None, 7, 8])])
def test_the_table_that_wins_a_column_is_never_mixed_with_the_other(run, winner, expected):
    tables = ["STORE_NBR,In Come\n1,1\n2,2\n", "STORE_NBR,IN_COME,Y\n2,7,0\n3,8,1\n"]
    result = run(*tables, wins={winner: ["In Come"]})
    assert [result.values["in_come", store] for store in (1, 2, 3)] == expected
    files = ["a.csv", "b.csv"]
    lost = result.report.filter(pl.col("outcome") == "dropped").row(0, named=True)
    assert lost["table"].endswith(files[1 - winner])
    assert lost["column"] == "in_come"
    assert f"{files[winner]} wins" in lost["reason"]
    assert [c["column"] for c in result.quality["columns_dropped"]] == ["in_come"]


def test_columns_without_a_name_are_left_out_and_do_not_collide(run):
    result = run(",STORE_NBR,X\n0,1,5\n1,2,6\n", ",STORE_NBR,Y\n0,1,7\n1,2,8\n")
    assert result.names == ["x", "y"]
    assert {c["reason"] for c in result.quality["columns_dropped"]} == {"the column has no name"}


def test_tables_that_share_no_store_are_joined_all_the_same(run):
    result = run("STORE_NBR,X\n1,1\n2,2\n", {"store_nbr": [3, 4], "y": [5, 6]})
    assert result.values["x", 3] is None
    assert result.values["y", 1] is None
    assert result.features.height == 2 * 4


# --- rows: ids, duplicates, rejection ---------------------------------------------------------


def test_rows_without_a_valid_store_are_kept_with_their_reason_and_counted(run):
    ids = ["007", " 8 ", "9.0", "", "x1", "-1", "0", "1.5", " "]
    text = "STORE_NBR,X\n" + "".join(f"{store},{i}\n" for i, store in enumerate(ids))
    result = run(text, {"store_nbr": [7, None], "y": [1, 2]})
    assert sorted(set(result.features["store_nbr"])) == [7, 8, 9]
    assert result.values["x", 8] == 1
    found = [(Path(file).name, *rest) for file, *rest in result.rejected.iter_rows()]
    assert result.rejected.columns == ["file", "row", "store_nbr", "reason"]
    assert found == [
        ("a.csv", 4, None, "null_store"),
        ("a.csv", 5, "x1", "invalid_store"),
        ("a.csv", 6, "-1", "invalid_store"),
        ("a.csv", 7, "0", "invalid_store"),
        ("a.csv", 8, "1.5", "invalid_store"),
        ("a.csv", 9, " ", "null_store"),
        ("b.parquet", 2, None, "null_store"),
    ]
    assert result.quality["source"] == "external"
    assert result.quality["rejected_share"] == 7 / 11
    assert result.quality["reasons"] == {"invalid_store": {"rows": 4}, "null_store": {"rows": 3}}
    tables = [
        (t["rows"], t["accepted_rows"], t["rejected_rows"], t["stores"])
        for t in result.quality["tables"]
    ]
    assert tables == [(9, 3, 6, 3), (2, 1, 1, 1)]


def test_the_rejected_table_is_written_when_nothing_is_rejected(run):
    result = run("STORE_NBR,X\n1,1\n2,2\n")
    assert result.rejected.is_empty()
    assert result.rejected.schema == {
        "file": pl.String,
        "row": pl.Int64,
        "store_nbr": pl.String,
        "reason": pl.String,
    }
    assert result.quality["rejected_share"] == 0
    assert result.quality["reasons"] == {}


def test_an_empty_table_adds_no_store_and_no_share_of_nothing(run):
    result = run("STORE_NBR,X\n1,1\n2,2\n", "STORE_NBR,Y\n")
    assert result.quality["tables"][1]["rejected_share"] == 0
    assert result.names == ["x"]


def test_no_valid_store_at_all_is_an_error_with_an_example(run):
    with pytest.raises(ValueError, match=r"a\.csv.*STORE_NBR.*2 rows invalid_store, such as 'S1'"):
        run("STORE_NBR,X\nS1,1\nS2,2\n")


def test_duplicate_stores_are_an_error_with_the_first_ten_and_their_number(run):
    rows = "".join(f"{store},{copy}\n" for store in range(12, 0, -1) for copy in (1, 2))
    with pytest.raises(ValueError, match=r"a\.csv: 12 stores .*: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …"):
        run("STORE_NBR,X\n" + rows)


def test_duplicate_stores_are_found_after_ids_are_read_and_files_are_stacked(tmp_path):
    files = [
        write(tmp_path / "p1.csv", "STORE_NBR,X\n007,1\n2,1\n"),
        write(tmp_path / "p2.parquet", {"store_nbr": [7.0], "x": [2]}),
    ]
    with pytest.raises(ValueError, match=r"p1\.csv, \S*p2\.parquet: 1 stores .*: 7; keep one row"):
        run_files(tmp_path, files)


def test_the_same_store_in_two_tables_is_no_duplicate(run):
    assert run("STORE_NBR,X\n1,1\n2,3\n", "STORE_NBR,Y\n1,2\n").features.height == 2


# --- tables in several files ------------------------------------------------------------------


def test_the_files_of_a_table_are_stacked_and_a_missing_column_is_unknown(tmp_path):
    files = [
        write(tmp_path / "p1.csv", "STORE_NBR,X\n1,1.5\n2,2\n"),
        write(tmp_path / "p2.parquet", {"STORE_NBR": ["3"], "x": [4], "Y": [True]}),
        write(tmp_path / "p3.csv", "Y,STORE_NBR\nfalse,4\n"),
    ]
    result = run_files(tmp_path, files)
    assert [result.values["x", store] for store in (1, 2, 3, 4)] == [1.5, 2, 4, None]
    assert [result.values["y", store] for store in (1, 2, 3, 4)] == [None, None, 1, 0]
    assert result.quality["tables"][0]["files"] == files


def test_the_type_of_a_csv_column_is_found_over_all_files_of_the_table(tmp_path):
    files = [
        write(tmp_path / "p1.csv", "STORE_NBR,X,KIND\n1,,1\n2,,2\n"),
        write(tmp_path / "p2.csv", "STORE_NBR,X,KIND\n3,1.5,a\n4,2,1\n"),
    ]
    result = run_files(tmp_path, files)
    assert result.names == ["kind=1", "kind=2", "kind=a", "x"]
    assert result.values["x", 1] is None


def test_a_column_that_is_blank_in_one_file_has_the_type_of_the_others(tmp_path):
    files = [
        write(tmp_path / "p1.csv", "STORE_NBR,X\n1,\n2,\n"),
        write(tmp_path / "p2.parquet", {"STORE_NBR": [3, 4], "X": [1.5, 2.5]}),
    ]
    assert run_files(tmp_path, files).values["x", 3] == 1.5


def test_the_order_of_files_and_tables_changes_no_byte(tmp_path):
    files = [
        write(tmp_path / "p1.csv", "STORE_NBR,X,B\n1,1,\n,2,\n"),
        write(tmp_path / "p2.parquet", {"STORE_NBR": [2, None], "X": [1.5, 2.5]}),
        write(tmp_path / "p3.csv", "STORE_NBR,A\n3,1\nx,4\n4,5\n"),
    ]
    forward = run_files(tmp_path, files[:2], files[2:])
    assert forward.report["column"].to_list() == ["b", "x", "a"]
    assert run_files(tmp_path, files[2:], files[1::-1]).bytes == forward.bytes


def test_a_number_in_one_file_and_text_in_another_is_an_error(tmp_path):
    files = [
        write(tmp_path / "p1.parquet", {"STORE_NBR": [1], "X": [1]}),
        write(tmp_path / "p2.parquet", {"STORE_NBR": [2], "X": ["one"]}),
    ]
    message = r"column x is String in \S*p2\.parquet but number in \S*p1\.parquet"
    with pytest.raises(ValueError, match=message):
        run_files(tmp_path, files)


def test_files_go_to_their_tables_in_order(tmp_path):
    files = [
        write(tmp_path / "a1.csv", "STORE_NBR,X\n1,1\n"),
        write(tmp_path / "a2.csv", "STORE_NBR,X\n2,2\n"),
        write(tmp_path / "b.csv", "STORE_NBR,Y\n1,1\n2,3\n"),
    ]
    assert run_files(tmp_path, files[:2], files[2:]).names == ["x", "y"]
    with pytest.raises(ValueError, match=r"a2\.csv, \S*b\.csv: 1 stores"):
        run_files(tmp_path, files[:1], files[1:])


def test_files_that_belong_to_no_table_are_an_error(tmp_path):
    file = write(tmp_path / "a.csv", "STORE_NBR,X\n1,1\n")
    tables = [{"files": 2, "wins": []}]
    with pytest.raises(ValueError, match="2 files in all, but 1 are given"):
        main(file, "", "", "", "", "", {"tables": tables, "attributes": []})


def test_a_broken_csv_file_is_an_error_that_names_it(run):
    with pytest.raises(ValueError, match=r"a\.csv: cannot be read"):
        run("STORE_NBR,X\n1,2,3\n")


# --- what becomes of a column -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected", "dtype"),
    [
        (["1", " 2 ", ""], [1, 2, None], pl.Int64),
        (["1", "2.5", "1e3"], [1.0, 2.5, 1000.0], pl.Float64),
        (["True", "FALSE", None], [True, False, None], pl.Boolean),
        (["true", "1"], ["true", "1"], pl.String),
        (["007", "10"], ["007", "10"], pl.String),
        (["0", "0.5", "-0.5"], [0.0, 0.5, -0.5], pl.Float64),
        (["1", "N/A"], ["1", "N/A"], pl.String),
        (["", None, " "], [None, None, None], pl.Null),
    ],
)
def test_a_csv_column_has_the_first_type_that_reads_all_its_values(text, expected, dtype):
    guessed = guess_type(pl.Series("x", text, dtype=pl.String))
    assert guessed.dtype == dtype
    assert guessed.to_list() == expected
    assert guessed.name == "x"


def test_quoted_numbers_in_a_csv_are_numbers(run):
    assert run('"STORE_NBR","X"\n"1","1.5"\n"2","2"\n').values["x", 1] == 1.5


def test_booleans_are_one_column_of_zero_and_one(run):
    result = run({"store_nbr": [1, 2, 3], "open": [True, False, None]})
    assert result.values == {("open", 1): 1.0, ("open", 2): 0.0, ("open", 3): None}


@pytest.mark.parametrize("dtype", [pl.Int8, pl.UInt64, pl.Float32, pl.Decimal(10, 2)])
def test_numbers_of_every_type_become_one_feature(run, dtype):
    numbers = pl.Series([1, 2], dtype=pl.Int64).cast(dtype)
    assert run({"store_nbr": [1, 2], "x": numbers}).values == {("x", 1): 1.0, ("x", 2): 2.0}


@pytest.mark.parametrize("dtype", [pl.String, pl.Categorical, pl.Enum([" urban", "rural", "  "])])
def test_text_becomes_one_feature_per_level_and_unknown_stays_unknown(run, dtype):
    kinds = pl.Series([" urban", "rural", None, "  "], dtype=pl.String).cast(dtype)
    result = run({"store_nbr": [1, 2, 3, 4], "Kind": kinds})
    assert result.names == ["kind=rural", "kind=urban"]
    assert [result.values["kind=urban", store] for store in (1, 2, 3, 4)] == [1, 0, None, None]
    assert [result.values["kind=rural", store] for store in (1, 2, 3, 4)] == [0, 1, None, None]
    assert result.columns["kind"]["outcome"] == "one-hot"
    assert result.columns["kind"]["features"] == "kind=rural; kind=urban"
    assert result.columns["kind"]["missing_share"] == 0.5


def test_levels_below_the_share_of_stores_with_a_known_value_are_pooled(run):
    # Ten known values: two c are a share of .2, one d and one e are .1; unknown stores count not.
    kinds = [*"aaaabbccde", *[None] * 10]
    result = run({"store_nbr": range(1, 21), "kind": kinds}, min_level_share=0.2)
    assert result.names == ["kind=OTHER", "kind=a", "kind=b", "kind=c"]
    pooled = [result.values["kind=OTHER", store] for store in range(1, 12)]
    assert pooled == [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, None]
    assert "2 levels below the share 0.2 pooled into OTHER" in result.columns["kind"]["reason"]


def test_a_level_named_other_takes_the_pooled_levels_in(run):
    kinds = ["OTHER", "OTHER", "a", "a", "b"]
    result = run({"store_nbr": range(1, 6), "kind": kinds}, min_level_share=0.3)
    assert [result.values["kind=OTHER", store] for store in range(1, 6)] == [1, 1, 0, 0, 1]


@settings(max_examples=50, deadline=None)
@given(
    levels=st.lists(st.none() | st.sampled_from("abcdef"), min_size=1, max_size=30),
    share=st.floats(0, 1),
)
def test_every_known_store_holds_exactly_one_level(levels, share):
    columns = prepare_columns(
        pl.DataFrame({"kind": levels}, schema={"kind": pl.String}),
        attributes=[],
        sensitive=[],
        allow_sensitive=[],
        max_missing_share=1,
        min_level_share=share,
    )
    if not any(levels):
        assert columns[0].outcome == "dropped"
        return
    for level, *held in zip(levels, *columns[0].values, strict=True):
        assert held == [None] * len(held) if level is None else sorted(held)[-2:] in ([1], [0, 1])


def test_a_text_column_of_mostly_numbers_is_pointed_out(run):
    result = run("STORE_NBR,X\n1,5\n2,6\n3,N/A\n4,\n")
    assert "2 of 3 values are numbers, 'N/A' is not" in result.columns["x"]["reason"]


def test_nan_and_infinity_are_unknown_and_counted(run):
    result = run(
        {"store_nbr": [1, 2, 3, 4, 5], "x": [math.nan, math.inf, 1.0, 2.0, None]},
        "STORE_NBR,Y\n1,nan\n2,-inf\n3,1\n4,2\n",
    )
    assert [result.values["x", store] for store in range(1, 6)] == [None, None, 1, 2, None]
    assert [result.values["y", store] for store in range(1, 6)] == [None, None, 1, 2, None]
    assert result.quality["non_finite_values"] == {"x": 2, "y": 2}
    assert result.columns["x"]["missing_share"] == 0.6


def test_dates_and_lists_are_dropped_with_the_reason(run):
    opened = [dt.date(2020, 1, 1), dt.date(2021, 1, 1)]
    result = run({"store_nbr": [1, 2], "opened": opened, "tags": [[1], [2]], "x": [1, 2]})
    assert result.names == ["x"]
    assert result.columns["opened"]["reason"].startswith("Date is neither a number")
    assert result.columns["tags"]["outcome"] == "dropped"


@pytest.mark.parametrize("values", [[3, 3, None, 3], ["a", "a ", None, "a"], [True] * 3 + [None]])
def test_a_column_whose_known_values_are_all_equal_is_dropped(run, values):
    result = run({"store_nbr": [1, 2, 3, 4], "same": values, "x": [1, 2, 3, 4]})
    assert result.names == ["x"]
    assert "all known values are equal" in result.columns["same"]["reason"]


def test_a_column_unknown_for_more_than_the_share_of_all_stores_is_dropped(run):
    half, fewer = [1.0, 2.0, None, None], [1.0, None, 2.0, None]
    tables = [{"store_nbr": [1, 2, 3, 4], "half": half}, {"store_nbr": [1, 2, 3, 5], "y": fewer}]
    result = run(*tables, max_missing_share=0.6)
    assert result.columns["half"]["missing_share"] == 0.6
    assert result.names == ["half", "y"]
    with pytest.raises(ValueError, match=r"half: unknown for 3 of 5 stores; max_missing_share"):
        run(*tables, max_missing_share=0.59)


def test_if_nothing_varies_the_constant_columns_are_kept_so_that_every_store_stays(run):
    result = run({"store_nbr": [1, 2], "x": [3, 3], "kind": ["a", None], "gone": [None, None]})
    assert result.values == {
        ("x", 1): 3.0,
        ("x", 2): 3.0,
        ("kind=a", 1): 1.0,
        ("kind=a", 2): None,
    }
    assert "no column varies" in result.columns["x"]["reason"]
    assert result.columns["gone"]["outcome"] == "dropped"


def test_without_any_column_to_cluster_on_the_error_lists_each_column_and_why(run):
    with pytest.raises(ValueError, match="no column to cluster on") as error:
        run(
            {"store_nbr": [1], "name": ["a"], "race": [1.0], "opened": [dt.date(2020, 1, 1)]},
            attributes=["name"],
            sensitive=["race"],
        )
    assert "a.parquet: name: attribute" in str(error.value)
    assert "race: sensitive" in str(error.value)
    assert "opened: Date is neither" in str(error.value)


def test_a_table_of_nothing_but_stores_is_not_enough(run):
    with pytest.raises(ValueError, match="only STORE_NBR"):
        run("STORE_NBR\n1\n2\n")


def test_a_table_of_nothing_but_stores_still_adds_its_stores(run):
    result = run("STORE_NBR\n1\n2\n3\n", "STORE_NBR,X\n1,5\n2,6\n")
    assert result.values == {("x", 1): 5, ("x", 2): 6, ("x", 3): None}


# --- sensitive columns and attributes ---------------------------------------------------------


SENSITIVE = {"sensitive": ["race", "race_*", "ethnic*"]}
DEMOGRAPHICS = "STORE_NBR,Race White,ETHNIC,TRACE,X\n1,.1,.2,.3,.4\n2,.2,.3,.4,.5\n"


def test_sensitive_columns_are_left_out(run):
    result = run(DEMOGRAPHICS, **SENSITIVE)
    assert result.names == ["trace", "x"]
    assert result.columns["ethnic"]["reason"].startswith("sensitive")
    assert result.quality["sensitive_columns"] == {"left_out": ["ethnic", "race_white"], "used": []}


def test_a_sensitive_column_that_is_allowed_is_used_and_named_in_a_warning(run, caplog):
    result = run(DEMOGRAPHICS, **SENSITIVE, allow_sensitive=["Race White"])
    assert result.names == ["race_white", "trace", "x"]
    assert result.quality["sensitive_columns"] == {"left_out": ["ethnic"], "used": ["race_white"]}
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "race_white is sensitive" in warnings[0]


def test_a_sensitive_attribute_is_left_out_as_well(run):
    result = run(DEMOGRAPHICS, **SENSITIVE, attributes=["ethnic"])
    assert result.attributes.columns == ["store_nbr"]


def test_attributes_are_carried_with_their_type_and_never_clustered_on(run, caplog):
    caplog.set_level(logging.INFO)
    opened = [dt.date(2020, 1, 1), None]
    result = run(
        "STORE_NBR,Store Name,LATITUDE,ZIP,X\n2,Crème & Co,49.5,02139,1\n1,,50,10001,2\n",
        {"store_nbr": [3, 1], "opened": opened, "y": [5, 6]},
        attributes=["store_name", "Latitude", "opened", "zip", "region"],
    )
    assert result.names == ["x", "y"]
    assert result.attributes.columns == ["store_nbr", "latitude", "opened", "store_name", "zip"]
    assert result.attributes.rows() == [
        (1, 50.0, None, None, "10001"),
        (2, 49.5, None, "Crème & Co", "02139"),
        (3, None, dt.date(2020, 1, 1), None, None),
    ]
    assert result.columns["latitude"]["outcome"] == "attribute"
    assert "attribute region is in no table" in caplog.text


def test_without_attributes_the_table_names_every_store(run):
    result = run("STORE_NBR,X\n3,1\n1,2\n")
    assert result.attributes.schema == {"store_nbr": pl.Int64}
    assert result.attributes["store_nbr"].to_list() == [1, 3]


# --- feature sets -----------------------------------------------------------------------------


TRAFFIC = "STORE_NBR,Visits_Mon,Visits_Sun,KIND\n1,10,1,URBAN\n2,20,2,RURAL\n3,,,URBAN\n4,,5,\n"


def views_of(features):
    """Stores and features of each view."""
    return {
        str(view): (
            rows["store_nbr"].unique().sort().to_list(),
            rows["feature"].unique().sort().to_list(),
        )
        for (view,), rows in features.partition_by("view", as_dict=True).items()
    }


def test_every_feature_set_is_a_view_of_the_features_that_its_patterns_match(run):
    sets = {"weekly": ["visits_*"], "place": ["kind=URBAN", "*_sun"]}
    result = run(TRAFFIC, feature_sets=sets)
    assert views_of(result.features) == {
        "all": ([1, 2, 3, 4], ["kind=RURAL", "kind=URBAN", "visits_mon", "visits_sun"]),
        # Of store 3 the set knows nothing, of store 4 one of two features.
        "weekly": ([1, 2, 4], ["visits_mon", "visits_sun"]),
        "place": ([1, 2, 3, 4], ["kind=URBAN", "visits_sun"]),
    }
    key = ["view", "store_nbr", "feature"]
    assert result.features.select(key).equals(result.features.select(key).unique().sort(key))
    same = result.features.pivot("view", index=["store_nbr", "feature"], values="value")
    both = same.filter(pl.col("feature") == "visits_sun", pl.col("store_nbr") != 3)
    assert both["all"].to_list() == both["weekly"].to_list() == both["place"].to_list()
    assert both["all"].to_list() == [1, 2, 5]


def test_a_feature_that_two_patterns_of_a_set_match_is_in_it_once(run):
    result = run(TRAFFIC, feature_sets={"weekly": ["visits_*", "*_mon"]})
    assert views_of(result.features)["weekly"][1] == ["visits_mon", "visits_sun"]
    assert result.features.filter(view="weekly").height == 6


@pytest.mark.parametrize("pattern", ["income*", "Visits_*", "kind", "kind=urban"])
def test_a_pattern_that_matches_nothing_is_an_error_with_set_pattern_and_features(run, pattern):
    with pytest.raises(ValueError, match="no feature matches") as caught:
        run(TRAFFIC, feature_sets={"weekly": ["visits_*", pattern]})
    text = str(caught.value)
    assert text.startswith("preprocess.external.feature_sets.weekly: ")
    assert repr(pattern) in text
    assert "features: kind=RURAL, kind=URBAN, visits_mon, visits_sun." in text


def test_a_column_that_was_left_out_is_in_no_set_and_the_log_says_why(run, caplog):
    caplog.set_level(logging.INFO)
    with pytest.raises(ValueError, match=r"no feature matches 'race'; features: x\."):
        run("STORE_NBR,RACE,X\n1,1,3\n2,2,4\n", sensitive=["race"], feature_sets={"a": ["race"]})
    assert "column race: dropped: sensitive" in caplog.text
