"""`farm up` and `farm demo`: what they start, show and leave.

usage: farm_tool_test.py FARM SOURCE_FOLDER
"""
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree

import tracks_model

FARM, SOURCE = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
LIMIT_S = 120


def farm(*arguments):
    return subprocess.run([str(FARM), *(str(a) for a in arguments)], capture_output=True, text=True,
                          timeout=LIMIT_S, cwd=SOURCE)


class Up(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="farm-up-")
        self.url = f"ipc://{self.folder.name}/broker.sock"
        self.log = open(pathlib.Path(self.folder.name) / "log", "w")
        self.up = subprocess.Popen([str(FARM), "up", "--models", "data/models", "--workers", "2",
                                    "--device", "cpu", "--bind", self.url],
                                   stdout=subprocess.PIPE, stderr=self.log, text=True, cwd=SOURCE)
        for line in self.up.stdout:
            if "Ctrl-C" in line:
                return
        self.fail(f"farm up ended with {self.up.wait()}")

    def tearDown(self):
        self.up.kill()
        self.up.wait()
        self.up.stdout.close()
        self.log.close()
        self.folder.cleanup()

    def status(self):
        done = farm("status", "--json", "--broker", self.url)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def until(self, condition):
        end = time.monotonic() + LIMIT_S
        while not condition():
            self.assertLess(time.monotonic(), end)

    def test_serves_benches_drains_and_ends_on_ctrl_c(self):
        self.assertEqual({w["name"] for w in self.status()["workers"]}, {"worker-1", "worker-2"})
        table = pathlib.Path(self.folder.name) / "bench"
        done = farm("bench", "gnn", "--concurrency", "1:2", "--window-ms", "50", "--max-windows",
                    "3", "--csv", f"{table}.csv", "--json", f"{table}.json", "--broker", self.url)
        self.assertEqual(done.returncode, 0, done.stderr)
        levels = json.loads(table.with_suffix(".json").read_text())["levels"]
        self.assertEqual([level["level"] for level in levels], [1, 2])
        for level in levels:
            self.assertGreater(level["ok"], 0)
            self.assertEqual(level["failed"], 0)
        self.assertEqual(len(table.with_suffix(".csv").read_text().splitlines()), 3)

        done = farm("bench", "nobody", "--broker", self.url)
        self.assertEqual(done.returncode, 1)
        self.assertIn("gnn/1", done.stderr)

        done = farm("drain", "worker-1", "--broker", self.url)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.until(lambda: {w["name"] for w in self.status()["workers"]} == {"worker-2"})

        self.until(lambda: "worker-1 was drained" in self.up.stdout.readline())

        self.up.send_signal(signal.SIGINT)
        self.assertEqual(self.up.wait(timeout=LIMIT_S), 0)
        self.assertIn("draining", self.up.stdout.read())
        self.assertEqual(farm("status", "--broker", self.url, "--timeout", "0.5").returncode, 13)


class Demo(unittest.TestCase):
    def test_no_event_is_lost_through_join_and_kill(self):
        with tempfile.TemporaryDirectory(prefix="farm-demo-") as folder:
            folder = pathlib.Path(folder)
            file, out = folder / "demo.json", folder / "out"
            models = tracks_model.make(folder / "models", SOURCE, tracks_model.METRES)
            done = farm("demo", "--models", models, "--events", "6", "--pileup", "1", "--out", out,
                        "--json", file, "--seconds", "90", "--bench-seconds", "0.5")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            result = json.loads(file.read_text())
            tracks = json.loads((out / "tracks.json").read_text())
            self.assertEqual(tracks["events"], 6)
            self.assertGreater(tracks["tracks"], 0)
            for picture in ("event.svg", "event-rates.svg"):
                xml.etree.ElementTree.parse(out / picture)
                self.assertIn(str(out / picture), done.stdout)
        self.assertEqual(result["lost"], 0)
        self.assertEqual(result["statuses"], {"OK": result["events"]})
        self.assertEqual([w["name"] for w in result["workers"]],
                         ["worker-1", "worker-2", "worker-3"])
        self.assertEqual(sum(w["events"] for w in result["workers"]), result["events"])
        self.assertGreater(result["workers"][2]["events"], 0)
        self.assertEqual((result["joined"], result["killed"]), ("worker-3", "worker-1"))
        self.assertTrue(result["recovered"])
        self.assertGreater(result["events_per_s"], 0)
        self.assertGreater(result["in_process_events_per_s"], 0)
        self.assertIsNotNone(result["join_to_first_event_ms"])
        # Without a terminal there is no bar, and each event has its line.
        self.assertNotIn("\x1b", done.stdout)
        lines = [line for line in done.stdout.splitlines() if line.startswith("event-")]
        self.assertEqual(len(lines), result["events"])
        self.assertTrue(all(len(line) <= 80 for line in done.stdout.splitlines()
                            if not line.startswith("wrote")))

    def test_without_a_detector_it_says_so(self):
        done = farm("demo", "--detector", "no/such/file")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no/such/file", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
