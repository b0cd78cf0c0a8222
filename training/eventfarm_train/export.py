"""Writes the trained networks as a model that the farm serves, with what made them."""
import csv
import math

import torch

CONFIG = """# Track finding by networks trained here on generated events, see README.md beside this file.
# Space points (r / 1000 mm, phi / pi, z / 1000 mm); gives the track of each, -1 for none.
name: "tracks"
backend: "tracks"
max_batch_size: 0
input [
  {{ name: "FEATURES" data_type: TYPE_FP32 dims: [ -1, 3 ] }},
  {{ name: "EDGES_WANTED" data_type: TYPE_BOOL dims: [ 1 ] optional: true }}
]
output [
  {{ name: "LABELS" data_type: TYPE_INT64 dims: [ -1 ] }},
  {{ name: "EDGES" data_type: TYPE_INT64 dims: [ 2, -1 ] }},
  {{ name: "SCORES" data_type: TYPE_FP32 dims: [ -1 ] }},
  {{ name: "GRAPH_EDGES" data_type: TYPE_INT32 dims: [ 2, -1 ] }},
  {{ name: "STAGES" data_type: TYPE_FP64 dims: [ 5, 2 ] }}
]
{parameters}"""


def parameters_of(radius, filter_cut, method):
    values = {"embedding": "embedding.pt", "radius": radius, "filter": "filter.pt",
              "filter_cut": f"{filter_cut:.4f}", "classifier": "classifier.pt",
              "tracks": method[0]}
    if method[0] == "components":
        values["cut"] = method[1]
    else:
        values.update(component_cut=method[1], walk_cut=method[1], branch_cut=method[2],
                      minimum_hits=3)
    return "".join(f'parameters {{ key: "farm.tracks.{key}" '
                   f'value {{ string_value: "{value}" }} }}\n' for key, value in values.items())


def draw_curve(curve_file, picture):
    import matplotlib
    matplotlib.use("agg")
    import matplotlib.pyplot as plt
    with open(curve_file, encoding="ascii") as file:
        rows = [{name: float(value) for name, value in row.items()}
                for row in csv.DictReader(file)]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
    steps = [row["step"] for row in rows]
    for name in ("loss", "validation_loss"):
        if name in rows[0]:
            left.plot(steps, [row[name] for row in rows], label=name.replace("_", " "))
    left.set(xlabel="step", ylabel="loss", yscale="log")
    left.legend()
    for name in rows[0]:
        if name.startswith(("efficiency", "purity", "auc")):
            right.plot(steps, [row[name] for row in rows], label=name.replace("_", " "))
    right.set(xlabel="step", ylim=(0, 1.02))
    right.legend()
    figure.savefig(picture, dpi=80)
    plt.close(figure)


def percent(value, count=None):
    """"91.7 %", or "91.7 ± 0.4 %" of a share of `count`."""
    error = "" if not count else f" ± {100 * math.sqrt(value * (1 - value) / count):.1f}"
    return f"{100 * value:.1f}{error} %"


def report(judged, description):
    """README.md of the model's folder. judged: {least pT in GeV: figures of evaluate.track()}; the
    first is that of the edges after each stage."""
    lines = ["# Networks of the track finder", "",
             "Trained by `./dev train` (training/); config.pbtxt is ours, too. The curves, with the "
             "figures on validation", "events, are in curves/.", ""]
    lines += [f"- {name}: {value}" for name, value in description.items()]
    lines += ["", "On the evaluation events by `farm track --truth --local`, particles of >= 5 "
              "hits, |eta| < 4 (definitions:", "cpu_client/events/truth_metrics.h):", "",
              "| particles | double-majority efficiency | perfect | fake rate | particles in the "
              "events |", "|---|---|---|---|---|"]
    for pt_min, figures in judged.items():
        count = figures["particles"]
        lines.append(f"| pT > {pt_min:g} GeV | "
                     f"{percent(figures['double_majority_efficiency'], count)} | "
                     f"{percent(figures['perfect_efficiency'])} | "
                     f"{percent(figures['fake_rate'])} | {count:,} |")
    first = next(iter(judged))
    lines += ["", f"| after | edges per event | edge efficiency, pT > {first:g} GeV | edges within "
              "one particle |", "|---|---|---|---|"]
    for stage in judged[first]["stages"]:
        if stage["edge_efficiency"] is None:
            continue
        lines.append(f"| {stage['name']} | {stage['edges']:,.0f} | "
                     f"{percent(stage['edge_efficiency'])} | "
                     f"{percent(stage['edge_same_particle_purity'])} |")
    return "\n".join(lines) + "\n"


def write_networks(folder, networks):
    """Into the model's folder, as version 1. Moves the networks to the CPU."""
    (folder / "1").mkdir(parents=True, exist_ok=True)
    for name, network in networks.items():
        torch.jit.script(network.cpu().eval()).save(str(folder / "1" / f"{name}.pt"))


def write_config(folder, parameters):
    (folder / "config.pbtxt").write_text(CONFIG.format(parameters=parameters), encoding="ascii")


def write_report(folder, curves, text):
    """curves: csv files of the runs."""
    (folder / "curves").mkdir(parents=True, exist_ok=True)
    for curve in curves:
        (folder / "curves" / curve.name).write_bytes(curve.read_bytes())
        draw_curve(curve, folder / "curves" / f"{curve.stem}.png")
    (folder / "README.md").write_text(text, encoding="utf-8")
