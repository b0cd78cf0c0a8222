#!/usr/bin/env python3
"""What a training run keeps, and what it refuses to go on with."""
import stat
import sys
import tempfile
import unittest
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "training"))
from eventfarm_train import kept, plan  # noqa: E402

# Stands for `farm events`: writes COUNT hit files, and as farm does, over others only when told to.
FARM = f"""#!{sys.executable}
import pathlib, sys
flags = dict(zip(sys.argv[2:], sys.argv[3:]))
folder = pathlib.Path(flags["--out"])
folder.mkdir(parents=True, exist_ok=True)
for number in range(1, int(flags["--count"]) + 1):
    file = folder / f"event00000000{{number}}-hits.csv"
    if file.exists() and "--overwrite" not in sys.argv:
        sys.exit(f"{{file}} is there already")
    file.write_text("VERSION " + flags["--seed"] + " " + flags["--pileup"])
"""


class PlanTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.write_farm("1")
        self.plan = plan.Plan(out=self.folder / "out", work=self.folder / "work",
                              farm=str(self.folder / "farm"), minutes=1, seed=1, pileup=200.0,
                              device="cpu")

    def write_farm(self, version):
        file = self.folder / "farm"
        file.write_text(FARM.replace("VERSION", version))
        file.chmod(file.stat().st_mode | stat.S_IXUSR)

    def hits(self, purpose):
        return sorted(self.plan.events_folder(purpose).glob("*-hits.csv"))


class WorkFolder(PlanTest):
    def test_serves_one_plan_again_and_again(self):
        plan.claim_work_folder(self.plan)
        plan.claim_work_folder(self.plan)

    def test_of_another_plan_is_refused(self):
        plan.claim_work_folder(self.plan)
        for name, value, text in (("pileup", 20.0, "a run with pileup 200.0 (asked for 20.0)"),
                                  ("seed", 2, "a run with seed 1 (asked for 2)"),
                                  ("minutes", 5, "a run with minutes 1 (asked for 5)")):
            with self.assertRaises(ValueError) as refused:
                plan.claim_work_folder(replace(self.plan, **{name: value}))
            self.assertIn(text, str(refused.exception))

    def test_of_another_generator_is_refused(self):
        plan.claim_work_folder(self.plan)
        self.write_farm("2")
        with self.assertRaisesRegex(ValueError, "a run with first_event [0-9a-f]{64}"):
            plan.claim_work_folder(self.plan)

    def test_with_events_of_nobody_knows_what_is_refused(self):
        plan.events_for(self.plan, "train")
        with self.assertRaisesRegex(ValueError, "no plan.json"):
            plan.claim_work_folder(self.plan)


class Events(PlanTest):
    def test_are_made_once(self):
        plan.events_for(self.plan, "validation")
        self.assertEqual(len(self.hits("validation")), plan.COUNTS["validation"])
        self.write_farm("2")
        plan.events_for(self.plan, "validation")
        self.assertEqual(self.hits("validation")[0].read_text(), "1 2001 200.0")

    def test_of_a_run_that_was_stopped_are_made_again(self):
        folder = self.plan.events_folder("validation")
        folder.mkdir(parents=True)
        (folder / "event000000001-hits.csv").write_text("half of i")
        plan.events_for(self.plan, "validation")
        self.assertEqual([file.read_text() for file in self.hits("validation")],
                         ["1 2001 200.0"] * 2)


class WholeFile(PlanTest):
    def test_is_not_there_when_writing_was_stopped(self):
        def stop(file):
            file.write(b"half")
            raise KeyboardInterrupt
        file = self.folder / "graph.npy"
        with self.assertRaises(KeyboardInterrupt):
            kept.write_whole(file, stop)
        self.assertFalse(file.exists())
        kept.write_whole(file, lambda out: out.write(b"whole"))
        with self.assertRaises(KeyboardInterrupt):
            kept.write_whole(file, stop)
        self.assertEqual(file.read_bytes(), b"whole")


if __name__ == "__main__":
    unittest.main()
