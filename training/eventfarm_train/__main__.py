"""Trains the networks of the track finder: embedding, filter, edge classifier, one after another,
each on what the one before leaves. See `python -m eventfarm_train --help`."""
import argparse
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from . import evaluate, export, pairs, stages
from .events import read_events
from .loop import Run
from .networks import EdgeClassifier, Embedder, Filter

# Seeds of `farm events` for each purpose; no event serves two.
SEEDS = {"train": 1001, "validation": 2001, "evaluation": 3001}
COUNTS = {"train": 24, "validation": 2, "evaluation": 5}
GRAPH_EVENTS = 8  # of the training events, those of which filter and edge classifier see the graphs
FILTER_LOSS = 0.01  # of the target pairs that the filter may lose

# Steps of one minute on two cores, and the share of the minutes each network gets.
STEPS_PER_MINUTE = {"embedding": 240, "filter": 300, "classifier": 200}
SHARES = {"embedding": 0.2, "filter": 0.2, "classifier": 0.6}


@dataclass
class Plan:
    """What is to be done, as the command line says."""

    out: Path
    work: Path
    farm: str
    minutes: float
    seed: int
    pileup: float
    device: torch.device

    def steps(self, name):
        return max(40, round(self.minutes * SHARES[name] * STEPS_PER_MINUTE[name]))


def events_for(plan, purpose):
    """The events of a purpose, made when they are not there yet."""
    folder = plan.work / "events" / purpose
    if not (folder / "made").exists():
        subprocess.run([plan.farm, "events", "--pileup", str(plan.pileup), "--no-cells", "--count",
                        str(COUNTS[purpose]), "--seed", str(SEEDS[purpose]), "--out", folder],
                       check=True)
        (folder / "made").touch()
    return read_events(folder)


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
            np.save(kept, make(number, event))
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
    train, validation = events_for(plan, "train"), events_for(plan, "validation")
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

    chains = [(event, edges, stages.probabilities(networks["classifier"], event, edges, plan.device))
              for event, edges in kept[GRAPH_EVENTS:]]
    return networks, cut, evaluate.choose_method(chains)


def describe(plan):
    counts = ", ".join(f"{COUNTS[p]} for {p} (seed {SEEDS[p]})" for p in SEEDS)
    steps = ", ".join(f"{name} {plan.steps(name)}" for name in SHARES)
    return {"Command": f"`./dev train --minutes {plan.minutes:g} --seed {plan.seed}`",
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
                        help="the farm program, which makes the events (%(default)s)")
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
    plan.work.mkdir(parents=True, exist_ok=True)

    networks, cut, method = train_all(plan)
    result = evaluate.evaluate(networks, events_for(plan, "evaluation"), cut, method, plan.device)
    text = export.report(result, describe(plan))
    export.export(plan.out, networks, [plan.work / f"{name}.csv" for name in networks],
                  export.parameters_of(stages.RADIUS, cut, method), text)
    print(text)


if __name__ == "__main__":
    main()
