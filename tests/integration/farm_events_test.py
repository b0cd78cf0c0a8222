"""`farm events`: what it writes, that a seed gives the same files, and what it says to bad input.

usage: farm_events_test.py FARM SOURCE_FOLDER
"""
import csv
import filecmp
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

FARM, SOURCE = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
PARTS = ["hits", "cells", "particles", "truth"]


def farm_events(*arguments):
    return subprocess.run([str(FARM), "events", *(str(a) for a in arguments)], capture_output=True,
                          text=True, timeout=60, cwd=SOURCE)


def rows(file):
    with open(file, newline="") as stream:
        return list(csv.DictReader(stream))


class Events(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="farm-events-")
        self.folder = pathlib.Path(self.scratch.name)

    def tearDown(self):
        self.scratch.cleanup()

    def make(self, name, *arguments):
        done = farm_events("--out", self.folder / name, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.folder / name

    def refuse(self, *arguments, out="none"):
        done = farm_events("--out", self.folder / out, *arguments)
        self.assertNotEqual(done.returncode, 0)
        return done.stderr

    def test_writes_events_with_truth_and_a_summary(self):
        summary = self.folder / "summary.json"
        out = self.make("out", "--pileup", 2, "--count", 2, "--first", 7, "--json", summary)
        self.assertEqual({f.name for f in out.iterdir()},
                         {f"event{n:09}-{part}.csv" for n in (7, 8) for part in PARTS})
        hits, truth = (rows(out / f"event000000007-{part}.csv") for part in ("hits", "truth"))
        self.assertEqual([h["hit_id"] for h in hits], [t["hit_id"] for t in truth])
        told = json.loads(summary.read_text())["events"]
        self.assertEqual([e["number"] for e in told], [7, 8])
        self.assertEqual(told[0]["hits"], len(hits))
        self.assertEqual(told[0]["noise"], sum(t["particle_id"] == "0" for t in truth))

    def test_event_is_the_same_alone_and_on_any_number_of_threads(self):
        several = self.make("several", "--pileup", 1, "--count", 3, "--seed", 5, "--threads", 2)
        alone = self.make("alone", "--pileup", 1, "--first", 3, "--seed", 5, "--threads", 1)
        for part in PARTS:
            name = f"event000000003-{part}.csv"
            self.assertTrue(filecmp.cmp(several / name, alone / name, shallow=False), name)

    def test_replays_particles_of_a_real_event(self):
        out = self.make("replay", "--replay", "data/trackml/event000000001-particles.csv",
                        "--no-cells")
        self.assertFalse((out / "event000000001-cells.csv").exists())
        particles = rows(out / "event000000001-particles.csv")
        self.assertEqual(len(particles), 548)

    def test_events_that_are_there_are_kept_unless_told_otherwise(self):
        out = self.make("kept", "--pileup", 0, "--seed", 1)
        source = out / "event000000001-particles.csv"
        before = {f: f.read_bytes() for f in out.iterdir()}
        told = self.refuse("--replay", source, "--no-cells", out="kept")
        self.assertIn("event000000001-hits.csv' is there already", told)
        self.assertIn("--overwrite", told)
        (out / "event000000001-hits.csv").rename(self.folder / "hits.csv")
        self.assertIn("is there already", self.refuse("--first", 0, "--count", 2, out="kept"))
        self.assertFalse((out / "event000000000-hits.csv").exists())
        (self.folder / "hits.csv").rename(out / "event000000001-hits.csv")
        self.assertEqual({f: f.read_bytes() for f in out.iterdir()}, before)
        self.make("kept", "--replay", source, "--no-cells", "--overwrite")
        self.assertFalse((out / "event000000001-cells.csv").exists())

    def test_summary_that_cannot_be_written_is_told_before_the_events(self):
        told = self.refuse("--pileup", 0, "--json", "/nonexistent/summary.json", out="early")
        self.assertIn("/nonexistent/summary.json", told)
        self.assertEqual(list((self.folder / "early").iterdir()), [])

    def test_failed_run_leaves_no_empty_summary(self):
        particles = self.folder / "particles.csv"
        particles.write_text("particle_id,vx,vy,vz,px,py,pz,q,nhits\n1,0,0,0,0,0,0,1,0\n")
        summary = self.folder / "summary.json"
        self.assertIn("no momentum", self.refuse("--replay", particles, "--json", summary))
        self.assertFalse(summary.exists())
        summary.write_text("{}")
        self.refuse("--replay", particles, "--json", summary)
        self.assertEqual(summary.read_text(), "{}")

    def test_bad_input_is_told_with_its_place(self):
        bad = self.folder / "bad.csv"
        bad.write_text("particle_id,vx,vy,vz,px,py,pz,q,nhits\n1,0,0,x,1,1,1,1,0\n")
        self.assertIn(f"{bad}:2:7: column 'vz': 'x'", self.refuse("--replay", bad))
        bad.write_text("particle_id,vx,vy,vz,px,py,pz,nhits\n")
        self.assertIn("column 'q' is missing", self.refuse("--replay", bad))
        bad.write_text("particle_id,vx,vy,vz,px,py,pz,q,nhits\n")
        self.assertIn("no particles", self.refuse("--replay", bad))
        self.assertIn("cannot be read", self.refuse("--detector", self.folder / "absent.csv"))
        self.assertIn("--pileup", self.refuse("--pileup", "1e9"))
        self.assertIn("--count", self.refuse("--count", 1_000_001))
        self.assertIn("--seed", self.refuse("--seed", "-1"))
        self.assertIn("cannot be made", self.refuse(out="bad.csv/below"))
        self.assertFalse((self.folder / "none").exists())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
