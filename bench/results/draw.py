#!/usr/bin/env python3
"""Draws what the benches measured.

usage: draw.py FOLDER

Reads peers.json, service.json and the other files that `./dev bench all --out FOLDER` leaves there;
writes FOLDER/figures.svg and FOLDER/tables.md. Needs Debian's python3-matplotlib.
"""
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.ticker import FuncFormatter, NullLocator  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent))
from goal_table import cost_table, goal_table, load  # noqa: E402

# Okabe and Ito's colours, which differ for the colour-blind too; ours are full lines with filled
# marks, the peers' dashed with open ones, so that a grey print tells them apart.
OURS = {"routed": ("#D55E00", "o", "eventfarm, routed"),
        "direct": ("#E69F00", "s", "eventfarm, direct"),
        "same_host": ("#CC79A7", "D", "eventfarm, same host")}
PEERS = {"zmq_proxy": ("#000000", "v", "zmq::proxy"),
         "zmq": ("#7F7F7F", "^", "raw libzmq"),
         "grpc": ("#009E73", "P", "gRPC echo"),
         "triton": ("#0072B2", "X", "Triton, gRPC"),
         "triton_http": ("#56B4E9", "p", "Triton, HTTP"),
         "triton_shm": ("#6A3D9A", "h", "Triton, shared memory")}
SIZES = {1024: "1 KB", 65536: "64 KB", 1048576: "1 MB", 16777216: "16 MB"}
MODELS = {"gnn_314": "edge classifier, 314 points", "gnn_20000": "edge classifier, 20 000 points",
          "cnn": "CNN 48×48", "particlenet": "ParticleNet",
          "particlenet_16x16": "ParticleNet, 16 calls of", "particlenet_unequal": "ParticleNet, unequal jets",
          "tracks_pu20": "tracks, 20 collisions", "tracks_lrt": "tracks, small events"}


def number_text(value):
    """12345 as "12k", 0.4 as "0.4": two digits."""
    for scale, suffix in ((1e6, "M"), (1e3, "k")):
        if value >= scale:
            return f"{float(f'{value / scale:.2g}'):g}{suffix}"
    return f"{float(f'{value:.2g}'):g}"


def multiple_text(value, _position):
    """"4×", "1/8×": as the axis steps by factors of two."""
    return f"{value:g}×" if value >= 1 else f"1/{1 / value:g}×"


def by_size(rows, path, outstanding, figure):
    return {row["bytes"]: row[figure] for row in rows
            if row["path"] == path and row["outstanding"] == outstanding and row["bytes"] in SIZES}


def ratio_lines(axes, rows, outstanding, figure, unit):
    """A line for each path over the sizes, as multiples of the reference's; what was not measured
    is left out. Under each size stands what the reference takes."""
    reference = "triton" if by_size(rows, "triton", outstanding, figure) else "zmq_proxy"
    base = by_size(rows, reference, outstanding, figure)
    sizes = sorted(base)
    for path, (colour, mark, label) in {**PEERS, **OURS}.items():
        values = by_size(rows, path, outstanding, figure)
        points = [(sizes.index(size), values[size] / base[size]) for size in sizes if size in values]
        if not points:
            continue
        ours = path in OURS
        axes.plot(*zip(*points), color=colour, marker=mark, label=label, markersize=6.5 if ours else 5,
                  linewidth=2.4 if ours else 1.2, linestyle="-" if ours else (0, (4, 2)),
                  markerfacecolor=colour if ours else "white", zorder=3 if ours else 2)
    axes.set_yscale("log", base=2)
    axes.yaxis.set_major_formatter(FuncFormatter(multiple_text))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_xticks(range(len(sizes)),
                    [f"{SIZES[size]}\n({number_text(base[size])} {unit})" for size in sizes])
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.6)
    return PEERS[reference][2]


def service_bars(axes, rows):
    """The farm's best ratio to direct inference of each model and batch."""
    best = {}
    for row in rows:
        key = (row["model"], row["batch"])
        if row["model"] in MODELS and (key not in best or row["farm_per_s"] > best[key]["farm_per_s"]):
            best[key] = row
    labels = []
    order = sorted(best.items(), key=lambda item: (list(MODELS).index(item[0][0]), item[0][1]))
    for place, ((model, batch), row) in enumerate(order):
        axes.plot([row["ratio_low"], row["ratio_high"]], [place, place], color="#D55E00", linewidth=5,
                  alpha=0.35, solid_capstyle="butt")
        mapped, = axes.plot(row["ratio"], place, "o", color="#D55E00", markersize=7)
        plain, = axes.plot(row["ratio_system_malloc"], place, "D", color="#0072B2", markersize=6,
                           markerfacecolor="white")
        labels.append(f"{MODELS[model]}" + (f" {batch}" if model.endswith("16x16")
                                            else f", batch {batch}" if batch > 1 else ""))
    if labels:
        axes.legend([mapped, plain], ["direct: memory kept mapped", "direct: glibc's defaults"],
                    loc="upper right", bbox_to_anchor=(1.0, -0.1), fontsize=8.5, frameon=False,
                    handletextpad=0.1)
    axes.axvline(1, color="#000000", linewidth=1)
    axes.set_yticks(range(len(labels)), labels)
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.grid(axis="x", color="#DDDDDD", linewidth=0.6)


def finish(axes, title):
    axes.set_title(title, fontsize=9, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=0)


def draw(folder):
    peers, service = load(folder, "peers"), load(folder, "service")
    plt.rcParams.update({"font.size": 9, "svg.fonttype": "path", "svg.hashsalt": "eventfarm"})
    figure = plt.figure(figsize=(12, 4.8))
    grid = figure.add_gridspec(1, 3, width_ratios=[1, 1, 0.7], left=0.05, right=0.99, top=0.91,
                               bottom=0.27, wspace=0.17)
    latency, rate = figure.add_subplot(grid[0]), figure.add_subplot(grid[1])
    reference = ratio_lines(latency, peers, 1, "p50_us", "µs")
    finish(latency, f"Echo, 1 call open: p50 as multiple of {reference} (lower is better)")
    ratio_lines(rate, peers, 8, "calls_per_s", "/s")
    finish(rate, f"Echo, 8 open: calls/s as multiple of {reference} (higher is better)")
    handles, labels = latency.get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower left", bbox_to_anchor=(0.03, 0.0), ncol=5, fontsize=8.5,
                  frameon=False, handlelength=2.8)
    bars = figure.add_subplot(grid[2])
    if service:
        service_bars(bars, service)
        box = bars.get_position()
        bars.set_position([box.x0 + 0.11, box.y0, box.width - 0.11, box.height])
        finish(bars, "")
        bars.set_title("Models on one core: farm / direct", fontsize=9, loc="right")
    else:
        bars.remove()
    figure.savefig(Path(folder) / "figures.svg", metadata={"Date": None})


def main():
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit(__doc__)
    folder = sys.argv[1]
    if not load(folder, "peers"):
        sys.exit(f"draw.py: no peers.json in {folder}: run ./dev bench all --out {folder}")
    draw(folder)
    (Path(folder) / "tables.md").write_text(goal_table(folder) + "\n" + cost_table(folder))


if __name__ == "__main__":
    main()
