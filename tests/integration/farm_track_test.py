"""`farm track`: labels, metrics, pictures, and what it says to bad input.

usage: farm_track_test.py FARM SOURCE_FOLDER
"""
import csv
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

import tracks_model

FARM, SOURCE = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])


def farm(*arguments):
    return subprocess.run([str(FARM), *(str(a) for a in arguments)], capture_output=True, text=True,
                          timeout=120, cwd=SOURCE)


def rows(file):
    with open(file, newline="") as stream:
        return list(csv.DictReader(stream))


class Track(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory(prefix="farm-track-")
        cls.folder = pathlib.Path(cls.scratch.name)
        cls.models = tracks_model.make(cls.folder / "models", SOURCE, tracks_model.MILLIMETRES)
        cls.events = cls.folder / "events"
        made = farm("events", "--pileup", 2, "--count", 2, "--out", cls.events)
        assert made.returncode == 0, made.stderr

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def track(self, *arguments, out="out"):
        return farm("track", *arguments, "--local", "--models", self.models,
                    "--out", self.folder / out)

    def test_finds_judges_and_draws_the_tracks_of_a_folder(self):
        summary, picture = self.folder / "tracks.json", self.folder / "event.svg"
        done = self.track(self.events, "--truth", "--json", summary, "--picture", picture)
        self.assertEqual(done.returncode, 0, done.stderr)
        hits = {n: rows(self.events / f"event00000000{n}-hits.csv") for n in (1, 2)}
        for number, expected in hits.items():
            labels = rows(self.folder / f"out/event00000000{number}-tracks.csv")
            self.assertEqual([row["hit_id"] for row in labels], [h["hit_id"] for h in expected])
            self.assertGreater(max(int(row["track_id"]) for row in labels), 100)
            self.assertEqual(min(int(row["track_id"]) for row in labels), 0)
            array = (self.folder / f"out/event00000000{number}-labels.npy").read_bytes()
            self.assertIn(b"'<i8'", array)
            self.assertTrue(array.endswith((int(labels[-1]["track_id"]) - 1).to_bytes(
                8, "little", signed=True)))
        told = json.loads(summary.read_text())
        self.assertEqual(told["events"], 2)
        self.assertEqual(told["hits"], sum(len(h) for h in hits.values()))
        self.assertGreater(told["particles"], 0)
        for rate in ("double_majority_efficiency", "fake_rate", "duplicate_rate", "trackml_score"):
            self.assertTrue(0 <= told[rate] <= 1, rate)
        self.assertGreater(told["trackml_score"], 0)
        self.assertEqual([s["name"] for s in told["stages"]],
                         ["embedding", "graph", "filter", "classifier", "tracks"])
        graph, classifier = told["stages"][1], told["stages"][3]
        self.assertGreater(graph["ms"], 0)
        self.assertGreater(graph["edges"], classifier["edges"])
        self.assertGreaterEqual(graph["edge_efficiency"], classifier["edge_efficiency"])
        self.assertGreater(classifier["edge_purity"], graph["edge_purity"])
        self.assertEqual(sum(b["particles"] for b in told["bins"]["pt"]), told["particles"])
        for file in (picture, self.folder / "event-rates.svg"):
            self.assertIn(str(file), done.stdout)
            root = xml.etree.ElementTree.parse(file).getroot()
            self.assertTrue(root.tag.endswith("svg"))
        self.assertIn("double majority", done.stdout)
        self.assertIn("event000000002", done.stderr)
        self.assertTrue(all(len(line) <= 80 for line in done.stdout.splitlines()
                            if not line.startswith(("picture", "labels"))), done.stdout)

    def test_hits_alone_are_enough_without_truth(self):
        event = self.folder / "alone" / "event000000009"
        event.parent.mkdir()
        hits = pathlib.Path(f"{event}-hits.csv")
        hits.write_bytes((self.events / "event000000001-hits.csv").read_bytes())
        done = self.track(hits, out="alone")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue((self.folder / "alone/event000000009-tracks.csv").exists())
        self.assertNotIn("efficiency ", done.stdout)
        done = self.track(event, "--truth", out="alone")
        self.assertEqual(done.returncode, 1)
        self.assertIn("event000000009-truth.csv", done.stderr)

    def test_event_without_hits_has_no_tracks(self):
        (self.folder / "empty-hits.csv").write_text(
            "hit_id,x,y,z,volume_id,layer_id,module_id\n")
        done = self.track(self.folder / "empty", out="empty")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.folder / "empty/empty-tracks.csv").read_text(), "hit_id,track_id\n")

    def test_bad_input_is_told_with_its_place(self):
        bad = self.folder / "bad-hits.csv"
        bad.write_text("hit_id,x,y,z,volume_id,layer_id,module_id\n1,0,nan,0,8,2,1\n")
        done = self.track(self.folder / "bad")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{bad}:2:5: column 'y'", done.stderr)
        bad.write_text("hit_id,x,y\n")
        self.assertIn("column 'z' is missing", self.track(self.folder / "bad").stderr)
        for arguments, text in (
                ([self.folder / "absent"], "absent-hits.csv"),
                ([self.models], "has no events"),
                ([self.events, "--model", "gnn"], "gnn"),
                ([self.events, "--scales", "1,0,1"], "--scales"),
                ([self.events, self.events / "event000000001"], "twice"),
                ([self.events, "--picture", self.folder / "no/such/folder/x.svg"], "x.svg")):
            done = self.track(*arguments)
            self.assertNotEqual(done.returncode, 0, arguments)
            self.assertIn(text, done.stderr)

    def test_truth_of_another_event_is_told(self):
        mixed = self.folder / "mixed-hits.csv"
        for part, number in (("hits", 1), ("truth", 2), ("particles", 2)):
            file = self.events / f"event00000000{number}-{part}.csv"
            (self.folder / f"mixed-{part}.csv").write_bytes(file.read_bytes())
        done = self.track(mixed, "--truth")
        self.assertEqual(done.returncode, 1)
        self.assertIn("mixed-truth.csv", done.stderr)

    def test_model_that_is_no_track_finder_is_refused(self):
        done = farm("track", self.events, "--local", "--models", "data/models", "--model", "gnn",
                    "--out", self.folder / "gnn")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no track finding service", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
