"""What is right among pairs of hits, and which hits a training step sees. Needs numpy only."""
import numpy as np

from .events import NOISE, Event


def in_sector(event, begin, width):
    """The hits whose phi lies in [begin, begin + width), in units of pi, as an event."""
    inside = np.flatnonzero((event.points[:, 1] - begin) % 2 < width)
    return Event(event.points[inside], event.particle[inside], event.rank[inside], event.pt,
                 event.eta, event.hit_count)


def track_pairs(event, step, pt_min, hits_min=3):
    """Pairs of hits `step` places apart on a particle, the one nearer the vertex first [2, m]."""
    wanted = (event.particle != NOISE) & (event.hit_pt() >= pt_min)
    wanted &= event.hit_count[event.particle] >= hits_min
    hits = np.flatnonzero(wanted)
    hits = hits[np.lexsort((event.rank[hits], event.particle[hits]))]
    first, second = hits[:-step or None], hits[step:]
    joined = event.particle[first] == event.particle[second]
    joined &= event.rank[second] - event.rank[first] == step
    return np.stack((first[joined], second[joined]))


def of_one_particle(event, edges):
    """Whether both ends [2, m] are hits of one particle [m]."""
    first, second = event.particle[edges[0]], event.particle[edges[1]]
    return (first == second) & (first != NOISE)


def edge_weights(event, edges, pt_min):
    """Label and weight of each edge in the loss. Pairs of one particle are right; of those below
    pt_min it does not matter, and those above 1 GeV, by which a finder is judged, count twice."""
    label = of_one_particle(event, edges)
    pt = event.hit_pt()[edges[0]]
    weight = np.where(label, np.where(pt < pt_min, 0.0, np.where(pt < 1.0, 1.0, 2.0)), 1.0)
    return label.astype(np.float32), weight.astype(np.float32)


def edge_efficiency(event, edges, pt_min):
    """Share of the consecutive pairs of selected particles that are among the edges."""
    selected = event.selected(pt_min)
    targets = track_pairs(event, 1, pt_min, 5)
    targets = targets[:, selected[event.particle[targets[0]]]]
    n = np.int64(len(event.points))
    keys = np.minimum(edges[0], edges[1]) * n + np.maximum(edges[0], edges[1])
    wanted = targets.min(axis=0) * n + targets.max(axis=0)
    return float(np.isin(wanted, keys).mean()) if wanted.size else 0.0


def edge_purity(event, edges):
    """Share of the edges within one particle."""
    return float(of_one_particle(event, edges).mean()) if edges.shape[1] else 0.0
