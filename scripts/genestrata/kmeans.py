"""k-means with many restarts side by side, for thousands of small problems."""

import numpy as np

MOST_STEPS = 300


def k_means(points: np.ndarray, n_clusters: int, restarts: int, seed: int) -> np.ndarray:
    """Clusters (n_points,) int of the tightest of `restarts` runs of k-means; points : (n_points, n_dimensions) float.

    Every run starts from greedy k-means++ (Arthur and Vassilvitskii 2007, SODA) and moves on until no point changes its
    cluster. All runs share each multiplication of matrices: on a few dozen points one run at a time would mostly wait
    for Python. Deterministic for a seed. A cluster that loses its points keeps its place, so fewer may be found.
    """
    points = np.asarray(points, dtype=float)
    # Large means would cost digits of the distances.
    points = points - points.mean(axis=0)
    squares = np.square(points).sum(axis=1)
    centres = start_centres(points, squares, n_clusters, restarts, np.random.default_rng(seed))
    clusters = np.full((restarts, len(points)), -1)
    tightness = np.empty(restarts)
    moving = np.arange(restarts)
    for _ in range(MOST_STEPS):
        distances = squared_distances(points, squares, centres[moving])
        nearest = distances.argmin(axis=2)
        tightness[moving] = np.take_along_axis(distances, nearest[:, :, None], axis=2).sum(axis=(1, 2))
        changed = (nearest != clusters[moving]).any(axis=1)
        clusters[moving] = nearest
        moving = moving[changed]
        if not len(moving):
            break
        member = (clusters[moving][:, :, None] == np.arange(n_clusters)).astype(float)
        sizes = member.sum(axis=1)
        sums = np.matmul(member.transpose(0, 2, 1), points)
        means = sums / np.maximum(sizes, 1)[:, :, None]
        centres[moving] = np.where(sizes[:, :, None] > 0, means, centres[moving])
    # Of equally tight runs, equal but for rounding, the first.
    return clusters[np.argmax(tightness <= tightness.min() * (1 + 1e-9))]


def squared_distances(points: np.ndarray, squares: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """(n_runs, n_points, n_centres) squared distances; squares : (n_points,) squared lengths of the points, centres :
    (n_runs, n_centres, n_dimensions)."""
    runs, per_run, width = centres.shape
    products = (centres.reshape(-1, width) @ points.T).reshape(runs, per_run, len(points)).transpose(0, 2, 1)
    lengths = np.square(centres).sum(axis=2)
    return np.maximum(squares[None, :, None] - 2 * products + lengths[:, None, :], 0)


def start_centres(
    points: np.ndarray, squares: np.ndarray, n_clusters: int, restarts: int, random: np.random.Generator
) -> np.ndarray:
    """Centres (restarts, n_clusters, n_dimensions) by greedy k-means++: each is the best of a few points that are drawn
    in proportion to their squared distance from the centres so far."""
    trials = 2 + int(np.log(n_clusters))
    chosen = random.integers(len(points), size=(restarts, 1))
    distances = squared_distances(points, squares, points[chosen])[:, :, 0]
    for _ in range(n_clusters - 1):
        mass = distances.cumsum(axis=1)
        drawn = random.random((restarts, trials)) * mass[:, -1:]
        candidates = np.minimum((mass[:, None, :] <= drawn[:, :, None]).sum(axis=2), len(points) - 1)
        closer = np.minimum(distances[:, :, None], squared_distances(points, squares, points[candidates]))
        best = closer.sum(axis=1).argmin(axis=1)
        rows = np.arange(restarts)
        distances = closer[rows, :, best]
        chosen = np.column_stack([chosen, candidates[rows, best]])
    return points[chosen]
