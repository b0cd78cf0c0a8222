"""Trains the networks of the track finder: embedding, filter, edge classifier, one after another,
each on what the one before leaves. See `python -m eventfarm_train --help`."""
import argparse
import shutil
import sys
from pathlib import Path

import numpy as np
import torch

from . import evaluate, export, pairs, stages
from .events import read_events
from .kept import write_whole
from .loop import Run
from .networks import EdgeClassifier, Embedder, Filter
from .plan import (COUNTS, FILTER_LOSS, GRAPH_EVENTS, RADIUS, SEEDS, SHARES, Plan,
                   claim_work_folder, events_for)


def train_embedding(plan, train, validation):
    torch.manual_seed(plan.seed)
    network = Embedder().to(plan.device)
    sector = pairs.in_sector(validation[0], 0.0, 0.25)

    def figures():
        edges = stages.radius_graph(stages.embed(network, sector, plan.device))
        return {"edges_per_hit": edges.shape[1] / len(sector.points),
                "efficiency_pt1": pairs.edge_efficiency(sector, edges, 1.0),
                "efficiency_pt05": pairs.edge_efficiency(sector, edges, 0.5),
                "purity": pairs.edge_purity(sector, edges)}

    run = Run("embedding", network, plan.work, plan.steps("embedding"), plan.seed)
    run.train(lambda rng: stages.embedding_loss(network, train, rng, plan.device), figures)
    return network


def make_graphs(plan, name, events, make):
    """Pairs (event, edges int32 [2, e]) with the edges of make(number, event), which are kept in
    the work folder."""
    graphs = []
    for number, event in enumerate(events):
        kept = plan.work / f"{name}-{number}.npy"
        if not kept.exists():
            edges = make(number, event)
            write_whole(kept, lambda file: np.save(file, edges))
        graphs.append((event, np.load(kept)))
    return graphs


def train_classifier(plan, name, network, loss_of, graphs, validation):
    """Filter or edge classifier. graphs, validation: (event, edges) each."""
    event, edges = validation

    @torch.no_grad()
    def figures():
        scores = stages.probabilities(network, event, edges, plan.device)
        label, weight = pairs.edge_weights(event, edges, stages.PT_MIN)
        judged = weight > 0
        loss = stages.classifier_loss(network, event, edges.astype(np.int64), plan.device)
        kept = edges[:, scores > 0.5]
        return {"validation_loss": loss.item(),
                "auc": evaluate.auc(label[judged] > 0, scores[judged]),
                "efficiency_pt1": pairs.edge_efficiency(event, kept, 1.0),
                "purity": pairs.edge_purity(event, kept)}

    run = Run(name, network, plan.work, plan.steps(name), plan.seed)
    run.train(lambda rng: loss_of(network, graphs, rng, plan.device), figures)
    return network


def sector_graph(graph, width=0.25):
    """The part of a graph [2, e] within a sector."""
    event, edges = graph
    inside = (event.points[:, 1] % 2) < width
    number = np.cumsum(inside) - 1
    return (pairs.in_sector(event, 0.0, width),
            number[edges[:, inside[edges].all(axis=0)]].astype(np.int32))


def train_all(plan):
    """The networks by name, and the filter's cut."""
    train, validation = (read_events(events_for(plan, purpose))
                         for purpose in ("train", "validation"))
    chosen = [*train[:GRAPH_EVENTS], *validation]
    networks = {"embedding": train_embedding(plan, train, validation)}

    graphs = make_graphs(plan, "graph", chosen, lambda _, event: stages.radius_graph(
        stages.embed(networks["embedding"], event, plan.device)))
    torch.manual_seed(plan.seed)
    networks["filter"] = train_classifier(
        plan, "filter", Filter().to(plan.device), stages.filter_loss, graphs[:GRAPH_EVENTS],
        sector_graph(graphs[-1]))

    def filter_scores(event, edges):
        return stages.probabilities(networks["filter"], event, edges, plan.device)

    # Round down to what config.pbtxt will say.
    cut = evaluate.cut_for(*graphs[-1], filter_scores(*graphs[-1]), FILTER_LOSS)
    cut = np.floor(cut * 1e4) / 1e4

    def filtered(number, event):
        edges = graphs[number][1]
        return edges[:, filter_scores(event, edges) > cut]

    kept = make_graphs(plan, "filtered", chosen, filtered)
    torch.manual_seed(plan.seed)
    networks["classifier"] = train_classifier(
        plan, "classifier", EdgeClassifier().to(plan.device), stages.edge_classifier_loss,
        kept[:GRAPH_EVENTS], sector_graph(kept[-1]))

    return networks, cut


def choose_tracks(plan, repository, cut):
    """Writes the model's configuration with the way of building tracks that is best on the
    validation events."""
    def write(method):
        export.write_config(repository / "tracks", export.parameters_of(RADIUS, cut, method))

    def figures_of(method):
        write(method)
        return evaluate.track(plan.farm, events_for(plan, "validation"), repository,
                              plan.work / "tracks")

    write(evaluate.choose_method(figures_of))


def judge(plan, repository):
    events = events_for(plan, "evaluation")
    return {pt_min: evaluate.track(plan.farm, events, repository, plan.work / "tracks", pt_min)
            for pt_min in (1.0, 0.5)}


def describe(plan):
    counts = ", ".join(f"{COUNTS[p]} for {p} (seed {SEEDS[p]})" for p in SEEDS)
    steps = ", ".join(f"{name} {plan.steps(name)}" for name in SHARES)
    return {"Command": f"`./dev train --minutes {plan.minutes:g} --seed {plan.seed} "
                       f"--pileup {plan.pileup:g}`",
            "Events": f"`farm events --pileup {plan.pileup:g}`, {counts}; filter and edge "
                      f"classifier saw the first {GRAPH_EVENTS} of those for training",
            "Steps": steps}


def main():
    parser = argparse.ArgumentParser(prog="eventfarm_train", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("data/models/tracks"),
                        help="folder of the model (%(default)s)")
    parser.add_argument("--work", type=Path, default=Path("build/train"),
                        help="folder of events, checkpoints and curves; a run that finds its own "
                             "goes on where it was (%(default)s)")
    parser.add_argument("--farm", default="build/release/cpu_client/app/farm",
                        help="the farm program, which makes the events and judges the tracks "
                             "(%(default)s)")
    parser.add_argument("--minutes", type=float, default=60,
                        help="how long, on two cores; sets the steps (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of weights and order (%(default)s)")
    parser.add_argument("--pileup", type=float, default=200, help="of the events (%(default)s)")
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"),
                        help="cpu or cuda (%(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="of the CPU (%(default)s)")
    arguments = vars(parser.parse_args())
    torch.set_num_threads(arguments.pop("threads"))
    plan = Plan(**arguments)
    try:
        claim_work_folder(plan)
    except ValueError as error:
        sys.exit(f"eventfarm_train: {error}")
    networks, cut = train_all(plan)
    repository = plan.work / "models"
    export.write_networks(repository / "tracks", networks)
    choose_tracks(plan, repository, cut)
    text = export.report(judge(plan, repository), describe(plan))
    shutil.copytree(repository / "tracks", plan.out, dirs_exist_ok=True)
    export.write_report(plan.out, [plan.work / f"{name}.csv" for name in networks], text)
    print(text)


if __name__ == "__main__":
    main()
