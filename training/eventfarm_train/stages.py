"""How each network is trained: what it sees in a step, and its loss."""
import numpy as np
import torch
from scipy.spatial import cKDTree
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

from . import pairs
from .plan import RADIUS

PT_MIN = 0.5  # GeV; hits of other particles are background
SHARPNESS = 6.0  # of the step at RADIUS that the losses smooth
NEAR = 1.3  # square of the distance up to which a wrong pair is pushed away
QUERIES = 1000  # hits of a step whose neighbourhood is looked at
FALSE_EDGE_COST = 0.02  # of that of a pair that is missed
SECTOR = 0.125  # in phi / pi: 1/16 of an event
EDGES = 40000  # that the filter sees in a step


def tensor(array, device):
    return torch.from_numpy(np.ascontiguousarray(array)).to(device)


def random_sector(events, rng, width=SECTOR):
    event = events[rng.integers(len(events))]
    return pairs.in_sector(event, rng.uniform(-1, 1), width)


def distances(places, first, second):
    return (places[first] - places[second]).square().sum(dim=1).add(1e-6).sqrt()


def missed_pairs_loss(event, places):
    """Of pairs that follow one another on a track and lie further apart than RADIUS; those with a
    hit between them close the gap that a lost hit leaves, and count less."""
    loss = places.new_zeros(())
    for step, weight in ((1, 1.0), (2, 0.3)):
        targets = pairs.track_pairs(event, step, PT_MIN)
        cost = weight * np.where(event.hit_pt()[targets[0]] >= 1.0, 2.0, 0.7)
        apart = distances(places, *tensor(targets, places.device))
        loss = loss + (tensor(cost.astype(np.float32), places.device) *
                       softplus(SHARPNESS * (apart - 0.95 * RADIUS))).sum()
    return loss


def wrong_neighbours(event, places, hits):
    """Pairs (one of `hits`, any other) that are near and of different particles [2, m]."""
    near = places[hits]
    square = near.square().sum(1)[:, None] + places.square().sum(1)[None] - 2 * near @ places.T
    row, other = torch.nonzero(square < NEAR * RADIUS**2, as_tuple=True)
    first = hits[row]
    wrong = ~pairs.of_one_particle(event, torch.stack((first, other)).cpu().numpy())
    wrong = torch.from_numpy(wrong).to(places.device)
    wrong &= first != other
    return first[wrong], other[wrong]


def embedding_loss(network, events, rng, device):
    event = random_sector(events, rng)
    places = network(tensor(event.points, device))
    hits = np.flatnonzero(event.hit_pt() >= PT_MIN)
    asked = rng.choice(hits, min(QUERIES, len(hits)), replace=False)
    with torch.no_grad():
        first, second = wrong_neighbours(event, places, tensor(asked, device))
    wrong = softplus(SHARPNESS * (RADIUS - distances(places, first, second))).sum()
    missed = missed_pairs_loss(event, places)
    return missed / len(hits) + FALSE_EDGE_COST * wrong / len(asked)


def classifier_loss(network, event, edges, device):
    """Of the filter and of the edge classifier, which take the same."""
    label, weight = pairs.edge_weights(event, edges, PT_MIN)
    logits = network(tensor(event.points, device), tensor(edges, device))
    weight = tensor(weight, device)
    loss = binary_cross_entropy_with_logits(logits, tensor(label, device), weight,
                                            reduction="sum")
    return loss / weight.sum()


def filter_loss(network, graphs, rng, device):
    event, edges = graphs[rng.integers(len(graphs))]
    chosen = rng.integers(edges.shape[1], size=EDGES)
    return classifier_loss(network, event, edges[:, chosen].astype(np.int64), device)


def edge_classifier_loss(network, graphs, rng, device):
    event, edges = graphs[rng.integers(len(graphs))]
    begin = rng.uniform(-1, 1)
    inside = (event.points[:, 1] - begin) % 2 < SECTOR
    kept = edges[:, inside[edges].all(axis=0)]
    number = np.cumsum(inside) - 1
    sector = pairs.in_sector(event, begin, SECTOR)
    sector.points[:, 1] *= rng.choice((-1, 1))  # charges are alike, and so are mirror images
    return classifier_loss(network, sector, number[kept], device)


@torch.no_grad()
def embed(network, event, device):
    return network(tensor(event.points, device)).cpu().numpy()


def radius_graph(places):
    """All pairs within RADIUS, the larger index first: int32 [2, e]."""
    found = cKDTree(places).query_pairs(RADIUS, output_type="ndarray").astype(np.int32)
    return np.ascontiguousarray(found[:, ::-1].T)


@torch.no_grad()
def probabilities(network, event, edges, device):
    logits = network(tensor(event.points, device), tensor(edges.astype(np.int64), device))
    return torch.sigmoid(logits).cpu().numpy()
