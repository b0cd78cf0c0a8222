"""What the trained networks are worth on events that they have not seen."""
import numpy as np

from . import pairs, stages, tracks

WALK_CUTS = ((0.03, 0.5), (0.05, 0.5), (0.1, 0.6), (0.2, 0.7))
COMPONENT_CUTS = (0.5, 0.6, 0.7, 0.8, 0.9)


def auc(label, score):
    """Area under the ROC curve: how often a right edge scores higher than a wrong one."""
    order = np.argsort(score)
    rank = np.empty(len(score))
    rank[order] = np.arange(1, len(score) + 1)
    right = int(label.sum())
    wrong = len(label) - right
    return (rank[label].sum() - right * (right + 1) / 2) / max(1, right * wrong)


def edge_figures(event, edges):
    return {"edges": edges.shape[1],
            "efficiency_pt1": pairs.edge_efficiency(event, edges, 1.0),
            "efficiency_pt05": pairs.edge_efficiency(event, edges, 0.5),
            "purity": pairs.edge_purity(event, edges)}


def cut_for(event, edges, scores, loss):
    """Score that loses this share of the target pairs above 1 GeV that are among the edges."""
    targets = pairs.track_pairs(event, 1, 1.0, 5)
    n = np.int64(len(event.points))
    keys = edges.min(axis=0) * n + edges.max(axis=0)
    is_target = np.isin(keys, targets.min(axis=0) * n + targets.max(axis=0))
    return float(np.quantile(scores[is_target], loss))


def scored_edges(networks, event, filter_cut, device):
    """The chain up to the scores; also what each stage left."""
    edges = stages.radius_graph(stages.embed(networks["embedding"], event, device))
    left = {"graph": edge_figures(event, edges)}
    kept = stages.probabilities(networks["filter"], event, edges, device) > filter_cut
    edges = edges[:, kept]
    left["filter"] = edge_figures(event, edges)
    scores = stages.probabilities(networks["classifier"], event, edges, device)
    left["classifier > 0.5"] = edge_figures(event, edges[:, scores > 0.5])
    return edges, scores, left


def labels_of(event, edges, scores, method):
    """method: ("walkthrough", walk cut, branch cut) or ("components", cut)."""
    if method[0] == "components":
        return tracks.components(len(event.points), edges[:, scores > method[1]])
    return tracks.walkthrough(event.points, edges, scores, *method[1:])


def total(metrics):
    """Figures of several events together."""
    summed = {name: sum(m[name] for m in metrics) for name in metrics[0]}
    return {"efficiency": summed["found"] / max(1, summed["particles"]),
            "fake_rate": summed["fakes"] / max(1, summed["clusters"]), **summed}


def choose_method(chains):
    """The way of building tracks that finds most, less what it makes up. chains: (event, edges,
    scores) of validation events."""
    def worth(method):
        figures = total([tracks.track_metrics(event, labels_of(event, edges, scores, method))
                         for event, edges, scores in chains])
        print(f"{method}: efficiency {figures['efficiency']:.4f}, fake rate "
              f"{figures['fake_rate']:.4f}", flush=True)
        return figures["efficiency"] - figures["fake_rate"]
    methods = [("walkthrough", *cuts) for cuts in WALK_CUTS]
    methods += [("components", cut) for cut in COMPONENT_CUTS]
    return max(methods, key=worth)


def evaluate(networks, events, filter_cut, method, device):
    """Tracks above 1 and above 0.5 GeV, and edges after each stage, over all events."""
    metrics, stages_left = {1.0: [], 0.5: []}, []
    for event in events:
        edges, scores, left = scored_edges(networks, event, filter_cut, device)
        labels = labels_of(event, edges, scores, method)
        for pt_min, found in metrics.items():
            found.append(tracks.track_metrics(event, labels, pt_min))
        stages_left.append(left)
    mean = {stage: {name: float(np.mean([left[stage][name] for left in stages_left]))
                    for name in stages_left[0][stage]} for stage in stages_left[0]}
    return {"tracks": {pt_min: total(found) for pt_min, found in metrics.items()}, "edges": mean}
