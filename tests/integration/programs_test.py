"""The programs as a user meets them: bad input gets one error that names field, value and limit,
with its exit code, and disturbs nothing else; keys let in whom they should.

usage: programs_test.py FARM FARM_BROKER FARM_WORKER
"""
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

FARM, BROKER, WORKER = (pathlib.Path(path) for path in sys.argv[1:4])
LIMIT_S = 60


def npy(path, descr, shape, data):
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    header = header.encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data)
    return path


def floats(path, shape):
    count = 1
    for dim in shape:
        count *= dim
    return npy(path, "<f4", tuple(shape), struct.pack(f"<{count}f", *range(count)))


class Farm:
    """A broker and a worker in a folder of their own."""

    def __init__(self, models, broker=(), worker=(), client=()):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="farm-programs-"))
        self.url = f"ipc://{self.folder}/broker.sock"
        self.models = self.folder / "models"
        self.client = list(client)
        self.children = []
        for name, config in models.items():
            (self.models / name / "1").mkdir(parents=True)
            (self.models / name / "config.pbtxt").write_text(config)
        self.start("broker", BROKER, "--bind", self.url, "--beat-ms", "200", *broker)
        self.start("worker", WORKER, "--broker", self.url, "--models", self.models,
                   "--name", "w1", "--device", "cpu", *worker)

    def start(self, name, *command):
        log = open(self.folder / f"{name}.log", "a")
        child = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log)
        self.children.append(child)
        return child

    def log(self, name):
        return (self.folder / f"{name}.log").read_text()

    def run(self, *arguments):
        return subprocess.run([str(FARM), *(str(a) for a in arguments), "--broker", self.url,
                               *self.client], capture_output=True, text=True, timeout=LIMIT_S)

    def status(self):
        done = self.run("status", "--json")
        return json.loads(done.stdout) if done.returncode == 0 else None

    def until(self, condition, what):
        end = time.monotonic() + LIMIT_S
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"{what} did not happen; broker:\n{self.log('broker')}\n"
                                     f"worker:\n{self.log('worker')}")

    def until_ready(self, model):
        self.until(lambda: model in self.run("models").stdout, f"model {model} ready")

    def stop(self):
        for child in self.children:
            child.send_signal(signal.SIGKILL)
            child.wait()
        shutil.rmtree(self.folder)


IDENTITY = 'backend: "reference"\n'
TYPED = ('backend: "reference"\n'
         'input { name: "nodes" data_type: TYPE_FP32 dims: [-1, 3] }\n'
         'output { name: "scores" data_type: TYPE_FP32 dims: [-1, 3] }\n')
BROKEN = 'backend: "reference"\ninput {\n  name: "x"\n  data_type: TYPE_FP99\n}\n'


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.farm = Farm({"typed": TYPED, "echo": IDENTITY, "broken": BROKEN})
        cls.farm.until_ready("typed")
        cls.good = floats(cls.farm.folder / "good.npy", (4, 3))

    @classmethod
    def tearDownClass(cls):
        cls.farm.stop()

    def tearDown(self):
        """Whatever a test did, the farm still serves."""
        done = self.infer("typed", f"nodes={self.good}")
        self.assertEqual(done.returncode, 0, done.stderr)

    def infer(self, model, *inputs):
        arguments = [part for text in inputs for part in ("--input", text)]
        return self.farm.run("infer", model, *arguments)

    def refused(self, done, code, *words):
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)

    def test_unknown_model(self):
        self.refused(self.infer("nobody", f"x={self.good}"), 12, "NO_SERVICE", "nobody")

    def test_unknown_version(self):
        self.refused(self.infer("typed/7", f"nodes={self.good}"), 12, "typed/7")

    def test_wrong_tensor_name(self):
        self.refused(self.infer("typed", f"points={self.good}"), 10, "points", "nodes")

    def test_missing_input(self):
        self.refused(self.infer("typed"), 10, "nodes")

    def test_wrong_type(self):
        other = npy(self.farm.folder / "int.npy", "<i8", (4, 3), bytes(96))
        self.refused(self.infer("typed", f"nodes={other}"), 10, "nodes", "int64", "float32")

    def test_wrong_rank(self):
        other = floats(self.farm.folder / "rank.npy", (12,))
        self.refused(self.infer("typed", f"nodes={other}"), 10, "nodes", "3")

    def test_wrong_size(self):
        other = floats(self.farm.folder / "size.npy", (3, 4))
        self.refused(self.infer("typed", f"nodes={other}"), 10, "nodes", "4", "3")

    def test_truncated_npy(self):
        short = self.farm.folder / "short.npy"
        short.write_bytes(self.good.read_bytes()[:-5])
        self.refused(self.infer("typed", f"nodes={short}"), 1, "short.npy", "43", "48")

    def test_nan_size_in_npy(self):
        odd = npy(self.farm.folder / "nan.npy", "<f4", "(nan, 3)", bytes(48))
        self.refused(self.infer("typed", f"nodes={odd}"), 1, "nan.npy")

    def test_missing_npy(self):
        self.refused(self.infer("typed", "nodes=nowhere.npy"), 1, "nowhere.npy")

    def test_tensor_over_the_limit(self):
        # Sparse: 5 GB of zeros that take no disk.
        huge = npy(self.farm.folder / "huge.npy", "<f4", (1_250_000_000,), b"")
        with open(huge, "r+b") as file:
            file.truncate(huge.stat().st_size + 5_000_000_000)
        done = self.infer("echo", f"x={huge}")
        self.assertIn(done.returncode, (1, 10), done.stderr)
        self.assertIn("1250000000", done.stderr)
        self.assertIn("4294967296", done.stderr)

    def test_malformed_config_is_told_with_its_line(self):
        services = self.farm.run("status").stdout
        self.assertIn("broken", services)
        self.assertIn("TYPE_FP99", services.replace("\n", " "))
        self.assertRegex(self.farm.log("worker"), r"config\.pbtxt:[45]:")

    def test_unreadable_repository(self):
        done = subprocess.run([str(WORKER), "--models", "/no/such/folder", "--broker", self.farm.url],
                              capture_output=True, text=True, timeout=LIMIT_S)
        self.assertEqual(done.returncode, 1)
        self.assertIn("/no/such/folder", done.stderr)

    def test_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            done = subprocess.run([str(BROKER), "--bind", f"tcp://127.0.0.1:{port}"],
                                  capture_output=True, text=True, timeout=LIMIT_S)
        self.assertEqual(done.returncode, 1)
        self.assertIn(str(port), done.stderr)
        self.assertIn("in use", done.stderr)

    def test_network_without_keys_is_refused(self):
        done = subprocess.run([str(BROKER), "--bind", "tcp://*:0"], capture_output=True, text=True,
                              timeout=LIMIT_S)
        self.assertEqual(done.returncode, 1)
        self.assertIn("--insecure", done.stderr)

    def test_unreachable_broker(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        done = subprocess.run([str(FARM), "infer", "typed", "--input", f"nodes={self.good}",
                               "--broker", f"tcp://127.0.0.1:{port}", "--timeout", "2"],
                              capture_output=True, text=True, timeout=LIMIT_S)
        self.refused(done, 13, f"tcp://127.0.0.1:{port}", " s")

    def test_unknown_flag_and_unknown_key_of_the_file(self):
        done = self.farm.run("status", "--colour")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--colour", done.stderr)
        config = self.farm.folder / "farm.yaml"
        config.write_text("bind: ipc:///tmp/never\nbaet-ms: 5\n")
        done = subprocess.run([str(BROKER), "--config", str(config)], capture_output=True, text=True,
                              timeout=LIMIT_S)
        self.assertEqual(done.returncode, 2)
        for word in ("farm.yaml", "2", "baet-ms", "beat-ms"):
            self.assertIn(word, done.stderr)

    def test_alien_protocol_does_no_harm(self):
        port = None
        farm = Farm({"echo": IDENTITY})
        try:
            farm.start("other", BROKER, "--bind", "tcp://127.0.0.1:0")
            farm.until(lambda: "url=tcp://" in (farm.log("other")), "a port")
            port = int(farm.log("other").split("url=tcp://127.0.0.1:")[1].split()[0])
            for bytes_sent in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01" + bytes(64),
                               b"\xff" + bytes(8) + b"\x7f\x03" + bytes(53) + b"\xff" * 40):
                with socket.create_connection(("127.0.0.1", port), timeout=10) as alien:
                    alien.sendall(bytes_sent)
            farm.url = f"tcp://127.0.0.1:{port}"
            self.assertIsNotNone(farm.status())
        finally:
            farm.stop()


class Keys(unittest.TestCase):
    def test_known_keys_serve_and_others_do_not(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="farm-keys-"))
        allow = folder / "allow"
        allow.mkdir()

        def keygen(name, where, roles):
            done = subprocess.run([str(FARM), "keygen", name, "--dir", str(where), "--roles", roles],
                                  capture_output=True, text=True, timeout=LIMIT_S)
            self.assertEqual(done.returncode, 0, done.stderr)
            return str(where / f"{name}.secret")

        broker = keygen("broker", folder, "broker")
        worker = keygen("worker", allow, "worker")
        client = keygen("atlas", allow, "client")
        stranger = keygen("stranger", folder, "client")
        self.assertEqual(os.stat(client).st_mode & 0o077, 0)
        public = str(folder / "broker.pub")
        farm = Farm({"echo": IDENTITY}, broker=("--key", broker, "--allow", allow),
                    worker=("--key", worker, "--broker-key", public),
                    client=("--key", client, "--broker-key", public))
        try:
            farm.until_ready("echo")
            good = floats(farm.folder / "good.npy", (4, 3))
            done = farm.run("infer", "echo", "--input", f"x={good}")
            self.assertEqual(done.returncode, 0, done.stderr)
            farm.client = ["--key", stranger, "--broker-key", public, "--timeout", "2"]
            done = farm.run("infer", "echo", "--input", f"x={good}")
            self.assertEqual(done.returncode, 13, done.stdout + done.stderr)
            # A client's key is not a worker's: no role but its own.
            farm.client = ["--key", client, "--broker-key", public, "--timeout", "2"]
            done = farm.run("drain", "w1")
            self.assertIn(done.returncode, (11, 13), done.stdout + done.stderr)
            self.assertIn("may not act as admin", done.stderr)
        finally:
            farm.stop()
            shutil.rmtree(folder)


class Leaving(unittest.TestCase):
    def test_sigterm_drains_worker_and_broker(self):
        farm = Farm({"echo": IDENTITY})
        try:
            farm.until_ready("echo")
            for child in reversed(farm.children):
                child.send_signal(signal.SIGTERM)
                self.assertEqual(child.wait(timeout=LIMIT_S), 0)
            self.assertIn("goodbye", farm.log("broker"))
        finally:
            farm.stop()


class LostDevice(unittest.TestCase):
    LOSES_IT = (IDENTITY +
                'parameters { key: "farm.reference.kind" value { string_value: "fail" } }\n'
                'parameters { key: "farm.reference.outcome" value { string_value: "device_lost" } }\n')

    def test_worker_leaves_to_be_started_again_and_calls_go_to_another(self):
        farm = Farm({"net": self.LOSES_IT})
        try:
            farm.until_ready("net")
            others = farm.folder / "others"
            (others / "net" / "1").mkdir(parents=True)
            (others / "net" / "config.pbtxt").write_text(IDENTITY)
            worker = farm.children[-1]
            farm.start("worker2", WORKER, "--broker", farm.url, "--models", others,
                       "--name", "w2", "--device", "cpu")
            farm.until(lambda: "model is ready" in farm.log("worker2"), "a second worker")
            good = floats(farm.folder / "good.npy", (4, 3))

            def has_left():
                done = farm.run("infer", "net", "--input", f"x={good}")
                self.assertEqual(done.returncode, 0, done.stderr)
                return worker.poll() is not None

            farm.until(has_left, "the worker's leaving")
            self.assertEqual(worker.returncode, 75)
            self.assertIn("unspecified launch failure", farm.log("worker"))
        finally:
            farm.stop()


class DeviceMemory(unittest.TestCase):
    def test_limit_of_a_cpu_is_refused(self):
        done = subprocess.run([str(WORKER), "--models", "/", "--device", "cpu",
                               "--device-memory-limit", "8GiB"],
                              capture_output=True, text=True, timeout=LIMIT_S)
        self.assertEqual(done.returncode, 1)
        for word in ("--device-memory-limit", "8GiB", "cpu"):
            self.assertIn(word, done.stderr)


class DirectBench(unittest.TestCase):
    """farm-worker --bench: a model without a farm."""

    CLIFF = """backend: "reference"
max_batch_size: 64
input { name: "x" data_type: TYPE_FP32 dims: 2 }
output { name: "y" data_type: TYPE_FP32 dims: 2 }
parameters { key: "farm.reference.kind" value { string_value: "sleep" } }
parameters { key: "farm.reference.per_row_ns" value { string_value: "1000000" } }
parameters { key: "farm.reference.cliff_rows" value { string_value: "4" } }
parameters { key: "farm.reference.cliff_factor" value { string_value: "20" } }
"""

    def bench(self, rows):
        with tempfile.TemporaryDirectory(prefix="farm-programs-") as folder:
            model = pathlib.Path(folder) / "cliff"
            (model / "1").mkdir(parents=True)
            (model / "config.pbtxt").write_text(self.CLIFF)
            return subprocess.run(
                [str(WORKER), "--models", folder, "--device", "cpu", "--bench", "cliff",
                 "--bench-rows", rows, "--bench-seconds", "0.1", "--json"],
                capture_output=True, text=True, timeout=LIMIT_S)

    def test_sizes_show_the_cliff(self):
        done = self.bench("2,4,64")
        self.assertEqual(done.returncode, 0, done.stderr)
        result = json.loads(done.stdout)
        self.assertEqual([size["rows"] for size in result["sizes"]], [2, 4, 64])
        self.assertIn(result["knee_rows"], (2, 4))
        self.assertGreaterEqual(result["sizes"][2]["p50_ms"], 1280)
        self.assertIn("minor_faults_per_run", result["sizes"][0])

    def test_a_size_beyond_the_configuration_is_refused(self):
        done = self.bench("65")
        self.assertEqual(done.returncode, 1)
        self.assertIn("1 to 64", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]], verbosity=2)
