"""Tracks of scored edges, and what they are worth. Needs numpy and scipy.

A yardstick for training; the farm builds tracks with gpu_worker/tracking and judges them with
cpu_client/events/truth_metrics.h, whose definitions these are.
"""
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .events import NOISE

VALID_HITS, COUNTED_HITS = 3, 5


def components(n, edges):
    """Number of the component of each of n hits."""
    joined = coo_array((np.ones(edges.shape[1], bool), (edges[0], edges[1])), shape=(n, n))
    return connected_components(joined, directed=False)[1]


def outward(points, edges):
    """The edges with the end nearer to the origin first."""
    distance = points[:, 0]**2 + points[:, 2]**2
    turned = distance[edges[0]] > distance[edges[1]]
    return np.where(turned, edges[::-1], edges)


def longest_roads(points, edges, scores, walk_cut, branch_cut):
    """Next hit on the longest road outward from each hit, -1 at its end, and the road's length.
    The best edge of a hit is taken above walk_cut, every other one is tried above branch_cut."""
    n = len(points)
    distance = points[:, 0]**2 + points[:, 2]**2
    # Hits from the outside in; within a hit the best edge first.
    order = np.lexsort((-scores, -distance[edges[0]]))
    length, onward = np.ones(n, np.int32), np.full(n, -1, np.int32)
    last = -1
    for k in order:
        first, second = edges[0, k], edges[1, k]
        is_best = first != last
        last = first
        if scores[k] > (walk_cut if is_best else branch_cut) and length[second] >= length[first]:
            length[first], onward[first] = length[second] + 1, second
    return length, onward


def walkthrough(points, edges, scores, walk_cut, branch_cut):
    """Label of each hit, -1 for none: again and again the longest road from the innermost hit.

    A road once taken blocks others; its hits end what would lead through them. (The farm's walk
    looks for another way around them, so that it finds a little more.)
    """
    edges = outward(points, edges)
    kept = scores > walk_cut
    edges, scores = edges[:, kept], scores[kept]
    _, onward = longest_roads(points, edges, scores, walk_cut, branch_cut)
    label = np.full(len(points), -1, np.int64)
    count = 0
    for start in np.argsort(points[:, 0]**2 + points[:, 2]**2, kind="stable"):
        road, hit = [], start
        while hit >= 0 and label[hit] < 0:
            road.append(hit)
            hit = onward[hit]
        if len(road) >= VALID_HITS:
            label[road] = count
            count += 1
    return label


def track_metrics(event, labels, pt_min=1.0):
    """Double-majority efficiency and fake rate for particles above pt_min."""
    selected = event.selected(pt_min)
    labelled = labels >= 0
    particle = event.particle[labelled]
    cluster = np.unique(labels[labelled], return_inverse=True)[1]
    size = np.bincount(cluster)
    pair, hits = np.unique(cluster.astype(np.int64) * (len(event.pt) + 1) + particle + 1,
                           return_counts=True)
    owner, whose = pair // (len(event.pt) + 1), pair % (len(event.pt) + 1) - 1
    real = whose != NOISE
    owner, whose, hits = owner[real], whose[real], hits[real]
    order = np.lexsort((whose, -hits, owner))
    owner, best = np.unique(owner[order], return_index=True)
    majority = np.full(len(size), NOISE)
    shared = np.zeros(len(size), np.int64)
    majority[owner], shared[owner] = whose[order][best], hits[order][best]
    has_owner = majority != NOISE
    good = has_owner & (size >= VALID_HITS) & (2 * shared > size)
    good &= 2 * shared > event.hit_count[majority]
    counted = (size >= COUNTED_HITS) & (~has_owner | selected[majority])
    found = int((good & selected[majority]).sum())
    return {"particles": int(selected.sum()), "found": found, "clusters": int(counted.sum()),
            "fakes": int((counted & ~good).sum())}
