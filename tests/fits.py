"""A way of making clusters, for tests of the methods that make them again and again."""

from sklearn.cluster import KMeans


def kmeans(points, k):
    """Centres by k-means, three starts."""
    return KMeans(k, n_init=3, random_state=1).fit(points).cluster_centers_


def joined(points, centres):
    """The nearest centre of every store, from 1, store by store."""
    return [1 + int(((centres - point) ** 2).sum(axis=1).argmin()) for point in points]
