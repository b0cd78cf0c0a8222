"""A training run that can be stopped at any time and goes on where it was."""
import csv
import math
import time

import numpy as np
import torch

from .kept import write_whole

REPORTS = 40  # rows of a loss curve
PEAK_RATE, LEAST_RATE = 3e-3, 2e-5


def rate_at(step, steps):
    """Learning rate: up over the first 5 %, then down along a cosine."""
    rise = max(1, steps // 20)
    if step < rise:
        return PEAK_RATE * (step + 1) / rise
    fall = (step - rise) / max(1, steps - rise)
    return LEAST_RATE + (PEAK_RATE - LEAST_RATE) * 0.5 * (1 + math.cos(math.pi * fall))


class Run:
    """One network on its way. What a step does depends on seed and step alone, so that a run that
    was interrupted ends as one that was not. Keeps FOLDER/NAME.checkpoint and the loss curve
    FOLDER/NAME.csv."""

    def __init__(self, name, network, folder, steps, seed):
        self.name, self.network, self.steps, self.seed = name, network, steps, seed
        self.optimizer = torch.optim.Adam(network.parameters(), lr=PEAK_RATE)
        self.checkpoint = folder / f"{name}.checkpoint"
        self.curve_file = folder / f"{name}.csv"
        self.step, self.seconds, self.curve = 0, 0.0, []
        if self.checkpoint.exists():
            self._resume()

    def _resume(self):
        state = torch.load(self.checkpoint, weights_only=True)
        if (state["steps"], state["seed"]) != (self.steps, self.seed):
            raise ValueError(f"{self.checkpoint} is of {state['steps']} steps with seed "
                             f"{state['seed']} (asked for {self.steps} with seed {self.seed}): "
                             "give another folder")
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds, self.curve = state["step"], state["seconds"], state["curve"]

    def _keep(self):
        state = {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict(),
                 "step": self.step, "seconds": self.seconds, "curve": self.curve,
                 "steps": self.steps, "seed": self.seed}
        write_whole(self.checkpoint, lambda file: torch.save(state, file))
        with open(self.curve_file, "w", newline="", encoding="ascii") as file:
            writer = csv.DictWriter(file, self.curve[0].keys(), lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.curve)

    def train(self, loss_of, validate):
        """loss_of(rng) -> loss of one step; validate() -> {name: figure}."""
        every = max(1, self.steps // REPORTS)
        losses, begin = [], time.monotonic()
        while self.step < self.steps:
            for group in self.optimizer.param_groups:
                group["lr"] = rate_at(self.step, self.steps)
            self.network.train()
            loss = loss_of(np.random.default_rng([self.seed, self.step]))
            self.optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            self.optimizer.step()
            losses.append(loss.item())
            self.step += 1
            if self.step % every == 0 or self.step == self.steps:
                self.network.eval()
                figures = validate()
                self.seconds += time.monotonic() - begin
                self.curve.append({"step": self.step, "loss": round(float(np.mean(losses)), 5),
                                   **{name: round(float(value), 5)
                                      for name, value in figures.items()}})
                losses, begin = [], time.monotonic()
                self._keep()
                print(f"{self.name}: {self.seconds:.0f} s, " + ", ".join(
                    f"{name} {value}" for name, value in self.curve[-1].items()), flush=True)
        self.network.eval()
