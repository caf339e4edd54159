"""Views of a source put on the same stores."""

import numpy as np
import polars as pl
import pytest

from clustering.aligned_views import UNKNOWN, align_views, unknown_view

STORES = np.array([3, 7, 20, 21])


def clusters_of(rows):
    schema = {"view": pl.String, "store_nbr": pl.Int64, "cluster": pl.Int32}
    return pl.DataFrame(rows, schema=schema, orient="row")


def points_of(rows):
    schema = {"view": pl.String, "store_nbr": pl.Int64, "point": pl.List(pl.Float64)}
    return pl.DataFrame(rows, schema=schema, orient="row")


def test_every_view_has_every_store_in_order_and_says_which_it_does_not_know():
    views = align_views(
        clusters_of([("A", 20, 2), ("B", 21, 1), ("A", 3, 1)]),
        points_of([("B", 21, [9.0]), ("A", 3, [1.0, 2.0]), ("A", 20, [3.0, 4.0])]),
        STORES,
    )
    assert sorted(views) == ["A", "B"]
    assert views["A"].clusters.tolist() == [1, UNKNOWN, 2, UNKNOWN]
    assert views["A"].known.tolist() == [True, False, True, False]
    assert views["A"].points[[0, 2]].tolist() == [[1, 2], [3, 4]]
    assert np.isnan(views["A"].points[[1, 3]]).all()
    assert views["B"].clusters.tolist() == [UNKNOWN] * 3 + [1]
    assert views["B"].points.shape == (4, 1)


def test_points_may_have_no_coordinates():
    view = align_views(clusters_of([("A", 3, 1)]), points_of([("A", 3, [])]), STORES)["A"]
    assert view.points.shape == (4, 0)
    assert view.clusters.tolist() == [1, 0, 0, 0]


def test_an_unknown_view_knows_no_store():
    view = unknown_view(4)
    assert not view.known.any()
    assert len(view.points) == 4


@pytest.mark.parametrize(
    ("clusters", "points", "message"),
    [
        ([("A", 8, 1)], [("A", 8, [1.0])], "store 8 of view 'A' is no store of the chain"),
        ([("A", 7, 1)], [("B", 7, [1.0])], "store 7 of view 'A' has a cluster but no point"),
        (
            [("A", 3, 1), ("A", 7, 1)],
            [("A", 3, [1.0]), ("A", 7, [1.0, 2.0])],
            r"view 'A' have \[1, 2\] coordinates",
        ),
        ([("A", 3, 1)], [("A", 3, [np.inf])], "view 'A' have coordinates that are not finite"),
        ([("A", 3, 1)], [("A", 3, [None])], "view 'A' have coordinates that are not finite"),
    ],
)
def test_clusters_and_points_that_do_not_fit_together_are_refused(clusters, points, message):
    with pytest.raises(ValueError, match=message):
        align_views(clusters_of(clusters), points_of(points), STORES)
