#!/usr/bin/env python3
"""Trains for a few steps, and has the farm serve what was exported.

usage: training_networks_test.py [FARM]     without the program, what needs it is skipped

Needs the packages of training/requirements.txt and skips without: run it with the Python that
`./dev train` makes.
"""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

try:
    import numpy as np
    import scipy  # noqa: F401
    import torch
except ModuleNotFoundError as error:
    print(f"skipped: {error.name} is not there (training/requirements.txt; `./dev train` makes a "
          "Python with it in ~/.cache/eventfarm)")
    sys.exit(77)

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "training"))
from eventfarm_train import evaluate, export, loop, networks  # noqa: E402

FARM = sys.argv[1] if len(sys.argv) > 1 else None


class Scratch(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)


class Stopped(Exception):
    pass


class Resume(Scratch):
    """A run that is stopped, and goes on, ends with the very weights of one that is not."""

    def run_of(self, name, steps, stop_at=None):
        torch.manual_seed(5)
        network = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.SiLU(), torch.nn.Linear(8, 1))
        (self.folder / name).mkdir(exist_ok=True)
        run = loop.Run("net", network, self.folder / name, steps, seed=7)

        def loss_of(rng):
            if run.step == stop_at:
                raise Stopped
            x = torch.from_numpy(rng.normal(size=(16, 3)).astype(np.float32))
            return (network(x).squeeze(1) - x.prod(dim=1)).square().mean()

        run.train(loss_of, lambda: {"size": network[0].weight.square().sum().item()})
        return run

    def assert_ends_alike(self, steps, stop_at):
        whole = self.run_of(f"whole-{steps}", steps)
        stopped = f"stopped-{steps}"
        with self.assertRaises(Stopped):
            self.run_of(stopped, steps, stop_at)
        resumed = self.run_of(stopped, steps)
        self.assertEqual(resumed.step, steps)
        for name, weights in whole.network.state_dict().items():
            self.assertTrue(torch.equal(weights, resumed.network.state_dict()[name]), name)
        self.assertEqual(whole.curve, resumed.curve)

    def test_twice_twenty_steps_are_forty(self):
        self.assert_ends_alike(40, 20)

    def test_stop_between_two_checkpoints(self):
        self.assert_ends_alike(120, 61)  # one is kept every three steps

    def test_other_steps_are_refused(self):
        self.run_of("short", 40)
        with self.assertRaisesRegex(ValueError, "is of 40 steps with seed 7"):
            self.run_of("short", 80)


class TurnedEvent(unittest.TestCase):
    """About the beam, by an angle that takes points across the seam of phi."""

    def setUp(self):
        rng = np.random.default_rng(3)
        count = 200
        points = np.stack((rng.uniform(0.03, 1, count), rng.uniform(-1, 1, count),
                           rng.uniform(-3, 3, count)), axis=1)
        turned = points.copy()
        turned[:, 1] = (points[:, 1] + 0.7 + 1) % 2 - 1
        self.points, self.turned = torch.from_numpy(points), torch.from_numpy(turned)
        self.edges = torch.from_numpy(rng.integers(count, size=(2, 1000)))
        self.edges = self.edges[:, self.edges[0] != self.edges[1]]
        torch.manual_seed(1)

    def test_edges_score_the_same(self):
        for network in (networks.Filter(), networks.EdgeClassifier()):
            network = network.double().eval()
            with torch.no_grad():
                scores = network(self.points, self.edges)
                torch.testing.assert_close(network(self.turned, self.edges), scores, rtol=1e-6,
                                           atol=1e-6)
                self.assertGreater(scores.std(), 1e-4)  # they are not all the same anyway

    def test_points_are_as_far_apart(self):
        network = networks.Embedder().double().eval()
        with torch.no_grad():
            torch.testing.assert_close(torch.cdist(network(self.turned), network(self.turned)),
                                       torch.cdist(network(self.points), network(self.points)),
                                       rtol=1e-6, atol=1e-6)


class Figures(unittest.TestCase):
    def test_area_under_the_curve(self):
        label = np.array([True, False, True, False])
        self.assertEqual(evaluate.auc(label, np.array([0.9, 0.1, 0.8, 0.2])), 1)
        self.assertEqual(evaluate.auc(label, np.array([0.1, 0.9, 0.2, 0.8])), 0)
        # right 0.9 beats both, right 0.2 beats one and ties with the other
        self.assertEqual(evaluate.auc(label, np.array([0.9, 0.1, 0.2, 0.2])), 3.5 / 4)

    def test_ties_are_worth_a_half_in_any_order(self):
        for label in ([True, False, False], [False, False, True]):
            self.assertEqual(evaluate.auc(np.array(label), np.full(3, 0.5)), 0.5)

    def test_best_method_finds_most_less_fakes(self):
        best = evaluate.METHODS[2]

        def figures_of(method):
            return {"double_majority_efficiency": 0.8 if method == best else 0.9,
                    "fake_rate": 0.05 if method == best else 0.2}
        self.assertEqual(evaluate.choose_method(figures_of), best)


class Export(Scratch):
    def write_model(self, method, radius=1.0):
        torch.manual_seed(1)
        model = self.folder / "models" / "tracks"
        export.write_networks(model, {"embedding": networks.Embedder(),
                                      "filter": networks.Filter(),
                                      "classifier": networks.EdgeClassifier()})
        export.write_config(model, export.parameters_of(radius, 0.0, method))

    def track(self):
        return evaluate.track(FARM, self.folder / "events", self.folder / "models",
                              self.folder / "tracks")

    @unittest.skipUnless(FARM, "the farm program was not given")
    def test_is_what_the_backend_reads(self):
        subprocess.run([FARM, "events", "--pileup", "1", "--count", "1", "--no-cells", "--out",
                        self.folder / "events"], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        for method in (evaluate.METHODS[0], evaluate.METHODS[-1]):
            self.write_model(method)
            figures = self.track()
            left = {stage["name"]: stage["edges"] for stage in figures["stages"]}
            self.assertEqual(left["filter"], left["graph"])  # a cut of 0 drops none
            self.assertGreater(left["graph"], 0)
            self.assertGreater(figures["particles"], 0)
            text = export.report({1.0: figures}, {"Command": "`./dev train`"})
            self.assertIn(f"| {figures['particles']:,} |", text)
            self.assertIn(f"| graph | {left['graph']:,.0f} |", text)
        self.write_model(evaluate.METHODS[0], radius=0.01)
        self.assertLess(self.track()["stages"][1]["edges"], left["graph"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
