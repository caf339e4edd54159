import numpy as np
import polars as pl

from clustering.view_matrix import view_matrix


def long(rows):
    return pl.DataFrame(
        [("v", store, feature, value) for store, feature, value in rows],
        schema=["view", "store_nbr", "feature", "value"],
        orient="row",
    )


def test_a_view_becomes_a_row_per_store_and_a_column_per_feature_sorted_by_name():
    matrix = view_matrix(long([(7, "b", 2.0), (7, "a", 1.0), (3, "a", 0.5), (3, "b", 4.0)]))
    assert matrix.features == ("a", "b")
    assert matrix.stores.tolist() == [3, 7]
    assert matrix.values.tolist() == [[0.5, 4.0], [1.0, 2.0]]
    assert matrix.weights.tolist() == [1.0, 1.0]


def test_unknown_values_are_nan_and_their_stores_stay():
    matrix = view_matrix(long([(1, "a", None), (2, "a", 5.0)]))
    assert matrix.stores.tolist() == [2, 1]
    assert np.isnan(matrix.values[1, 0])


def test_the_order_of_stores_does_not_depend_on_their_numbers():
    values = {1: (0.3, 0.7), 2: (0.1, 0.9), 3: (0.2, 0.8)}
    renumbered = {1: 30, 2: 20, 3: 10}
    first, second = (
        view_matrix(
            long(
                [
                    (names[store], feature, value)
                    for store, pair in values.items()
                    for feature, value in zip("ab", pair, strict=True)
                ]
            )
        )
        for names in ({1: 1, 2: 2, 3: 3}, renumbered)
    )
    assert first.values.tolist() == second.values.tolist()
    assert [renumbered[store] for store in first.stores.tolist()] == second.stores.tolist()


def test_sales_weigh_the_stores_and_a_store_of_net_refunds_weighs_nothing():
    sales = pl.DataFrame({"store_nbr": [2, 1, 3], "mapped_sales": [20.0, -1.0, 7.0]})
    matrix = view_matrix(long([(1, "a", 0.1), (2, "a", 0.2)]), sales)
    assert matrix.weights.tolist() == [0.0, 20.0]
