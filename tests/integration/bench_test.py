"""The benches with real programs: figures for all that was asked, and a failure when there are none.
No figure is judged.

usage: bench_test.py PEERS COST INTERFERENCE SERVICE SOURCE_FOLDER
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

PEERS, COST, INTERFERENCE, SERVICE, SOURCE = (pathlib.Path(a) for a in sys.argv[1:6])
LIMIT_S = 240


class Bench(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="farm-bench-")
        self.addCleanup(folder.cleanup)
        self.json = pathlib.Path(folder.name) / "figures.json"

    def bench(self, program, *options):
        done = subprocess.run([str(program), "--json", str(self.json), *options], cwd=SOURCE,
                              capture_output=True, text=True, timeout=LIMIT_S)
        return done, json.loads(self.json.read_text()) if self.json.exists() else None

    def figures(self, program, *options):
        done, rows = self.bench(program, *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout)
        return rows

    def test_every_path_echoes(self):
        paths = ["zmq", "zmq_chunked", "zmq_proxy", "grpc", "routed", "routed_read"]
        rows = self.figures(PEERS, "--paths", ",".join(paths), "--bytes", "1024,2097152",
                            "--outstanding", "1,3", "--repeats", "1", "--seconds", "0.02")
        self.assertEqual({(row["path"], row["bytes"], row["outstanding"]) for row in rows},
                         {(path, size, open_) for path in paths for size in (1024, 2097152)
                          for open_ in (1, 3)})
        for row in rows:
            self.assertGreater(row["calls_per_s"], 0, row)
            self.assertLessEqual(row["p50_us"], row["p99_us"], row)

    def test_peers_fail_without_programs(self):
        done, rows = self.bench(PEERS, "--paths", "routed", "--farm-bin", "/nonexistent")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nonexistent/farm-broker", done.stderr)
        self.assertIsNone(rows)

    def test_small_calls_beside_a_stream(self):
        rows = self.figures(INTERFERENCE, "--repeats", "1", "--seconds", "0.2", "--stream-bytes",
                            "4194304")
        self.assertGreater(rows[0]["stream_mb_per_s"], 0)
        self.assertGreater(rows[0]["ratio"], 0)

    @unittest.skipUnless(shutil.which("callgrind_control"), "valgrind is not installed")
    def test_cost_of_each_program(self):
        rows = self.figures(COST, "--calls", "50", "--outstanding", "1")
        self.assertEqual([row["role"] for row in rows], ["broker", "worker", "client"])
        for row in rows:
            self.assertGreater(row["instructions_per_call"], 1000, row)
            self.assertTrue(row["functions"], row)

    def test_served_model_beside_direct_inference(self):
        rows = self.figures(SERVICE, "--cases", "gnn_314", "--models", "gnn", "--repeats", "1",
                            "--seconds", "0.05")
        self.assertEqual([row["clients"] for row in rows], [1, 2, 4, 8, 16])
        for row in rows:
            self.assertGreater(row["farm_per_s"], 0, row)
            self.assertGreater(row["direct_per_s"], 0, row)

    def test_service_says_what_it_lacks(self):
        done, rows = self.bench(SERVICE, "--models", "particlenet", "--particlenet", "/nonexistent")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no 1/model.pt in --particlenet '/nonexistent'", done.stderr)
        self.assertIsNone(rows)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
