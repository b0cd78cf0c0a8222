"""What the trained networks are worth. Tracks are built and judged by the farm itself."""
import json
import subprocess

import numpy as np
from scipy.stats import rankdata

from . import pairs

WALK_CUTS = ((0.03, 0.5), (0.05, 0.5), (0.1, 0.6), (0.2, 0.7))
COMPONENT_CUTS = (0.5, 0.6, 0.7, 0.8, 0.9)
# Ways of building tracks, as export.parameters_of() takes them.
METHODS = [("walkthrough", *cuts) for cuts in WALK_CUTS]
METHODS += [("components", cut) for cut in COMPONENT_CUTS]


def auc(label, score):
    """Area under the ROC curve: how often a right edge scores higher than a wrong one; as high is
    half of it."""
    right = int(label.sum())
    wrong = len(label) - right
    return (rankdata(score)[label].sum() - right * (right + 1) / 2) / max(1, right * wrong)


def cut_for(event, edges, scores, loss):
    """Score that loses this share of the target pairs above 1 GeV that are among the edges."""
    targets = pairs.track_pairs(event, 1, 1.0, 5)
    n = np.int64(len(event.points))
    keys = edges.min(axis=0) * n + edges.max(axis=0)
    is_target = np.isin(keys, targets.min(axis=0) * n + targets.max(axis=0))
    return float(np.quantile(scores[is_target], loss))


def track(farm, events, models, out, pt_min=1.0):
    """What `farm track --json` tells of a folder of events and the model `tracks` of a repository.
    Labels and summary stay in the folder `out`."""
    summary = out / "summary.json"
    subprocess.run([farm, "track", events, "--truth", "--local", "--models", models, "--pt-min",
                    str(pt_min), "--out", out, "--json", summary],
                   check=True, stdout=subprocess.DEVNULL)
    return json.loads(summary.read_text(encoding="utf-8"))


def choose_method(figures_of):
    """The one of METHODS that finds most, less what it makes up. figures_of(method): those of
    track()."""
    def worth(method):
        figures = figures_of(method)
        efficiency, fake_rate = figures["double_majority_efficiency"], figures["fake_rate"]
        print(f"{method}: efficiency {efficiency:.4f}, fake rate {fake_rate:.4f}", flush=True)
        return efficiency - fake_rate
    return max(METHODS, key=worth)
