"""What is to be done, the events for it, and that a work folder serves one plan only."""
import hashlib
import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .kept import write_whole

# Seeds of `farm events` for each purpose; no event serves two.
SEEDS = {"train": 1001, "validation": 2001, "evaluation": 3001}
COUNTS = {"train": 24, "validation": 2, "evaluation": 5}
GRAPH_EVENTS = 8  # of the training events, those of which filter and edge classifier see the graphs
FILTER_LOSS = 0.01  # of the target pairs that the filter may lose
RADIUS = 1.0  # of the graph in the embedding

# Steps of one minute on two cores, and the share of the minutes each network gets.
STEPS_PER_MINUTE = {"embedding": 240, "filter": 300, "classifier": 200}
SHARES = {"embedding": 0.2, "filter": 0.2, "classifier": 0.6}


@dataclass
class Plan:
    """As the command line says."""

    out: Path
    work: Path
    farm: str
    minutes: float
    seed: int
    pileup: float
    device: object  # torch.device; this file needs no torch

    def steps(self, name):
        return max(40, round(self.minutes * SHARES[name] * STEPS_PER_MINUTE[name]))

    def events_folder(self, purpose):
        return self.work / "events" / purpose


def make_events(plan, purpose, count, folder):
    """Events that are there already are replaced: they may be those of a run that was stopped."""
    subprocess.run([plan.farm, "events", "--pileup", str(plan.pileup), "--no-cells", "--count",
                    str(count), "--seed", str(SEEDS[purpose]), "--out", folder, "--overwrite"],
                   check=True)


def events_for(plan, purpose):
    """The folder with the events of a purpose, made when they are not all there yet."""
    folder = plan.events_folder(purpose)
    if not (folder / "made").exists():
        make_events(plan, purpose, COUNTS[purpose], folder)
        (folder / "made").touch()
    return folder


def first_event_hash(plan):
    """Of the hits of the first event, made anew: it tells versions of the generator apart."""
    with tempfile.TemporaryDirectory() as folder:
        make_events(plan, "train", 1, folder)
        hits = next(Path(folder).glob("*-hits.csv"))
        return hashlib.sha256(hits.read_bytes()).hexdigest()


def claim_work_folder(plan):
    """Writes WORK/plan.json: what decides what is kept there. ValueError when the folder is that of
    another plan, whose events and graphs would be taken for those of this one."""
    own = {"pileup": plan.pileup, "counts": COUNTS, "seeds": SEEDS, "graph_events": GRAPH_EVENTS,
           "filter_loss": FILTER_LOSS, "radius": RADIUS, "minutes": plan.minutes,
           "seed": plan.seed, "first_event": first_event_hash(plan)}
    file = plan.work / "plan.json"
    if not file.exists():
        if (plan.work / "events").exists():
            raise ValueError(f"{plan.work} holds events of a plan that is not known (it has no "
                             "plan.json): give another --work, or delete it")
        plan.work.mkdir(parents=True, exist_ok=True)
        write_whole(file, lambda out: out.write(json.dumps(own, indent=2).encode()))
    kept = json.loads(file.read_text(encoding="utf-8"))
    for name, value in own.items():
        if kept.get(name) != value:
            raise ValueError(f"{plan.work} holds a run with {name} {kept.get(name)} (asked for "
                             f"{value}): give another --work, or delete it")
