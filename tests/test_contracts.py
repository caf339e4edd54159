import polars as pl
import pytest

from clustering.contracts import Contract
from clustering.dictionaries import read_dictionary, write_dictionary
from clustering.tables import read_table, read_tables, write_report, write_table, write_whole

PRICES = Contract(pl.Schema({"item": pl.String, "price": pl.Float64}), key=("item",))
GOOD = pl.DataFrame({"item": ["b", "a"], "price": [2.0, None]})


def test_a_table_leaves_with_the_columns_of_its_contract_sorted_by_its_key():
    table = PRICES.conform(GOOD.with_columns(extra=1).select("extra", "price", "item"))
    assert table.columns == ["item", "price"]
    assert table["item"].to_list() == ["a", "b"]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (GOOD.drop("price"), r"column price \(Float64\) is missing; found \['item'\]"),
        (GOOD.cast({"price": pl.Int64}), "column price is Int64, expected Float64"),
        (pl.concat([GOOD, GOOD.head(1)]), "repeats in 2 rows"),
        (GOOD.with_columns(item=pl.lit(None, dtype=pl.String)), "has a null"),
    ],
)
def test_a_broken_contract_names_the_file_and_what_is_wrong(tmp_path, frame, message):
    path = str(tmp_path / "prices.parquet")
    with pytest.raises(ValueError, match=rf"prices.parquet: .*{message}"):
        write_table(frame, path, PRICES)
    frame.write_parquet(path)
    with pytest.raises(ValueError, match=rf"prices.parquet: .*{message}"):
        read_table(path, PRICES)


def test_parts_of_a_table_are_read_as_one(tmp_path):
    paths = [str(tmp_path / f"{part}.parquet") for part in (1, 2)]
    for path, row in zip(paths, GOOD.iter_slices(1), strict=True):
        write_table(row, path, PRICES)
    assert read_tables(paths, PRICES).equals(GOOD.sort("item"))
    with pytest.raises(ValueError, match="repeats"):
        read_tables([paths[0], paths[0]], PRICES)


def test_what_fails_while_writing_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")

    def fail(part):
        part.write_text("ne")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        write_whole(str(path), fail)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_report_is_rounded_and_a_table_is_not(tmp_path):
    frame = pl.DataFrame({"n": [3], "share": [1 / 3]})
    write_report(frame, str(tmp_path / "report.csv"))
    write_table(frame, str(tmp_path / "table.csv"))
    assert (tmp_path / "report.csv").read_text() == "n,share\n3,0.333333\n"
    assert pl.read_csv(tmp_path / "table.csv").equals(frame)


def test_a_dictionary_comes_back_as_it_was_and_reads_well(tmp_path):
    path = str(tmp_path / "d.json")
    content = {"catégorie": {"rows": 3, "share": 0.1}, "none": None}
    write_dictionary(content, path)
    assert read_dictionary(path) == content
    assert "catégorie" in (tmp_path / "d.json").read_text()


def test_a_dictionary_with_a_number_that_json_does_not_know_is_refused(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_dictionary({"share": float("nan")}, str(tmp_path / "d.json"))
    assert list(tmp_path.iterdir()) == []
