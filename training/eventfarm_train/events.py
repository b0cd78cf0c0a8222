"""TrackML events as arrays. Needs numpy only."""
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .kept import write_whole

NOISE = -1


@dataclass(frozen=True)
class Event:
    """Hits are indices into the arrays of length n, particles into those of length p."""

    points: np.ndarray  # float32 [n, 3]: r / 1000 mm, phi / pi, z / 1000 mm
    particle: np.ndarray  # int32 [n]: whose the hit is, or NOISE
    rank: np.ndarray  # int32 [n]: place among the particle's hits by distance from its vertex
    pt: np.ndarray  # float32 [p], GeV
    eta: np.ndarray  # float32 [p]
    hit_count: np.ndarray  # int32 [p]: hits in the event

    def hit_pt(self):
        """pT of the hit's particle [n]; 0 for noise."""
        return np.where(self.particle == NOISE, 0, self.pt[self.particle]).astype(np.float32)

    def selected(self, pt_min=1.0, hits_min=5, eta_max=4.0):
        """Whether a particle counts [p]; as ParticleSelection of cpu_client/events."""
        return (self.pt >= pt_min) & (self.hit_count >= hits_min) & (np.abs(self.eta) <= eta_max)


def read_columns(path, columns):
    """The named columns of a csv file, {name: type}, as a structured array."""
    with open(path, encoding="ascii") as file:
        header = file.readline().strip().split(",")
    missing = [name for name in columns if name not in header]
    if missing:
        raise ValueError(f"{path} has no column '{missing[0]}' (it has {', '.join(header)}): "
                         "give the files of `farm events`")
    return np.loadtxt(path, delimiter=",", skiprows=1, ndmin=1, dtype=list(columns.items()),
                      usecols=[header.index(name) for name in columns])


def rank_in_particle(particle, distance):
    """Place of each hit among those of its particle by distance; of equals the earlier hit first."""
    order = np.lexsort((distance, particle))
    sorted_particle = particle[order]
    starts = np.flatnonzero(np.diff(sorted_particle, prepend=np.int32(-2)))
    lengths = np.diff(np.append(starts, len(order)))
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order)) - np.repeat(starts, lengths)
    return rank


def read_event(prefix):
    """The event whose files are PREFIX-hits.csv, -truth.csv and -particles.csv."""
    hits = read_columns(f"{prefix}-hits.csv", {"hit_id": "u8", "x": "f8", "y": "f8", "z": "f8"})
    truth = read_columns(f"{prefix}-truth.csv", {"hit_id": "u8", "particle_id": "u8", "tx": "f8",
                                                 "ty": "f8", "tz": "f8"})
    listed = read_columns(f"{prefix}-particles.csv",
                          {"particle_id": "u8", "vx": "f8", "vy": "f8", "vz": "f8", "px": "f8",
                           "py": "f8", "pz": "f8"})
    if not np.array_equal(hits["hit_id"], truth["hit_id"]):
        raise ValueError(f"{prefix}-truth.csv lists other hits than {prefix}-hits.csv: "
                         "give the truth of this event")
    listed = np.sort(listed, order="particle_id")
    place = np.searchsorted(listed["particle_id"], truth["particle_id"])
    place = np.minimum(place, len(listed) - 1)
    of_noise = truth["particle_id"] == 0
    unknown = (listed["particle_id"][place] != truth["particle_id"]) & ~of_noise
    if unknown.any():
        raise ValueError(f"{prefix}-truth.csv names particle {truth['particle_id'][unknown][0]} "
                         "(it is not listed): give the particles of this event")
    particle = np.where(of_noise, NOISE, place).astype(np.int32)
    vertex = listed[place]
    distance = np.sqrt((truth["tx"] - vertex["vx"]) ** 2 + (truth["ty"] - vertex["vy"]) ** 2 +
                       (truth["tz"] - vertex["vz"]) ** 2)
    pt = np.hypot(listed["px"], listed["py"])
    points = np.stack((np.hypot(hits["x"], hits["y"]) / 1000,
                       np.arctan2(hits["y"], hits["x"]) / np.pi, hits["z"] / 1000), axis=1)
    return Event(points.astype(np.float32), particle, rank_in_particle(particle, distance),
                 pt.astype(np.float32), np.arcsinh(listed["pz"] / pt).astype(np.float32),
                 np.bincount(place[~of_noise], minlength=len(listed)).astype(np.int32))


def read_events(folder):
    """All events of a folder in the order of their numbers; each is read once and kept as .npz."""
    prefixes = sorted(str(path)[:-len("-hits.csv")] for path in Path(folder).glob("*-hits.csv"))
    if not prefixes:
        raise ValueError(f"{folder} holds no ...-hits.csv: make events with `farm events`")
    events = []
    for prefix in prefixes:
        kept = Path(f"{prefix}.npz")
        if not kept.exists():
            event = read_event(prefix)
            write_whole(kept, lambda file: np.savez(file, **vars(event)))
        with np.load(kept) as arrays:
            events.append(Event(**arrays))
    return events
