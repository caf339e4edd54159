import gzip

import polars as pl
import pytest

from clustering.identifiers import identifier, is_blank
from clustering.raw_tables import lower_snake_case, naming_unreadable, scan_raw


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("STORE_NBR", "store_nbr"),
        (" Median Income ($)", "median_income"),
        ("Aîné-65+", "aîné_65"),
        ("a  b", "a_b"),
    ],
)
def test_columns_are_named_in_lower_snake_case(raw, name):
    assert lower_snake_case(raw) == name


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_file_is_found_by_its_columns_whatever_their_case(tmp_path, suffix):
    path = tmp_path / f"raw{suffix}"
    frame = pl.DataFrame({"Store_Nbr": ["1"], "X": ["é"]})
    frame.write_csv(path) if suffix == ".csv" else frame.write_parquet(path)
    assert scan_raw(str(path), ["store_nbr"]).collect().to_dicts() == [{"store_nbr": "1", "x": "é"}]


def test_a_compressed_csv_is_read(tmp_path):
    path = tmp_path / "raw.csv.gz"
    path.write_bytes(gzip.compress(b"store_nbr,x\n1,2\n"))
    assert scan_raw(str(path), ["x"]).collect().rows() == [("1", "2")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"id,x\n1,2\n3,4,5\n", "found more fields"),
        ("id,x\n1,Crème\n".encode("latin-1"), "utf-8"),
    ],
)
def test_a_file_that_breaks_off_while_it_is_read_is_named(tmp_path, content, message):
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("id,x\n1,2\n")
    bad.write_bytes(content)
    paths = [str(good), str(bad)]
    named = pytest.raises(ValueError, match=f"bad.csv: cannot be read: .*{message}.*UTF-8")
    with named, naming_unreadable(paths):
        pl.concat(scan_raw(path, ["id"]) for path in paths).collect()


def test_another_error_while_reading_stays_what_it_is(tmp_path):
    path = tmp_path / "good.csv"
    path.write_text("id\nx\n")
    with pytest.raises(pl.exceptions.InvalidOperationError), naming_unreadable([str(path)]):
        scan_raw(str(path), ["id"]).select(pl.col("id").cast(pl.Int64)).collect()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "x,y\n1,2\n", r"a.csv: column STORE_NBR is missing; found \['x', 'y'\]"),
        ("a.csv", "store_nbr,Store Nbr\n1,2\n", "are one column, store_nbr; rename or drop one"),
        ("a.csv", "store_nbr,x,x\n1,2,3\n", r"columns \['x', 'x'\] are one column, x"),
        ("a.csv", "", "a.csv: the file is empty"),
        ("a.parquet", "PAR1 and then nonsense", "a.parquet: cannot be read"),
        ("a.xlsx", "x", "unknown kind of file; allowed are .parquet, .csv and .csv.gz"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        scan_raw(str(path), ["store_nbr"])


@pytest.mark.parametrize(
    ("dtype", "values", "numbers"),
    [
        (pl.String, ["7", " 007 ", "7.0", "+7", "7."], [7, 7, 7, 7, 7]),
        (pl.String, ["-7", "0", "7.5", "x", "", "1e3", "9" * 30, None], [None] * 8),
        (pl.Int32, [7, 0, -1, None], [7, None, None, None]),
        (pl.UInt64, [7, 2**64 - 1], [7, None]),
        (pl.Float64, [7.0, 7.5, -1.0, float("nan"), float("inf"), 2.0**60], [7] + [None] * 5),
        (pl.Boolean, [True, False], [None, None]),
    ],
)
def test_positive_whole_numbers_are_identifiers_however_they_are_written(dtype, values, numbers):
    frame = pl.DataFrame({"id": values}, schema={"id": dtype})
    found = frame.select(identifier("id", frame.schema["id"]))["id"]
    assert found.dtype == pl.Int64
    assert found.to_list() == numbers


def test_blank_is_null_or_text_without_a_sign():
    frame = pl.DataFrame({"t": [" ", "", None, "x"], "n": [0, 1, None, 2]})
    blank = frame.select(is_blank("t", pl.String()), is_blank("n", pl.Int64()))
    assert blank["t"].to_list() == [True, True, True, False]
    assert blank["n"].to_list() == [False, False, True, False]
