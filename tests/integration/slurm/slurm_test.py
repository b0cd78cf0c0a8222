#!/usr/bin/env python3
"""usage: slurm_test.py FARM FARM_BROKER FARM_WORKER FARM_WORKERS_SBATCH

Workers started by Slurm join the farm while calls flow; one is pre-empted by a job of a better
partition, another is told that its time is over. Every call must end OK. Exits with 77 (skipped)
where no Slurm can be started.
"""

import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import cluster as slurm

LIMIT_S = 240  # for all of it; the test is registered with a little more
MODEL = """\
backend: "reference"
input [ { name: "x" data_type: TYPE_FP32 dims: [ 4 ] } ]
output [ { name: "y" data_type: TYPE_FP32 dims: [ 4 ] } ]
parameters { key: "farm.reference.kind" value { string_value: "sleep" } }
parameters { key: "farm.reference.fixed_ns" value { string_value: "40000000" } }
"""
give_up_at = time.monotonic() + LIMIT_S


class Failed(Exception):
    pass


def check(holds, problem):
    if not holds:
        raise Failed(problem)


def wait_until(what, has_come):
    """Looks again and again until has_come() returns something true, and returns it."""
    print(f"waiting for {what}", flush=True)
    limit = min(give_up_at, time.monotonic() + 90)
    while True:
        found = has_come()
        if found:
            return found
        if time.monotonic() > limit:
            raise Failed(f"{what} did not come in time")
        time.sleep(0.1)


class Farm:
    """A broker of ours, and the tool that asks it."""

    def __init__(self, tool, broker, folder):
        port, bulk_port = slurm.free_ports(2)
        self.tool = tool
        self.folder = folder
        self.url = f"tcp://127.0.0.1:{port}"
        self.log_file = folder / "broker.log"
        with open(self.log_file, "wb") as log:
            self.broker = subprocess.Popen(
                [broker, "--bind", self.url, "--bulk-bind", f"tcp://127.0.0.1:{bulk_port}",
                 "--beat-ms", "500"], stdout=log, stderr=log)

    def stop(self):
        self.broker.terminate()
        try:
            self.broker.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.broker.kill()
            self.broker.wait()

    def status(self):
        done = subprocess.run([self.tool, "status", "--json", "--broker", self.url],
                              capture_output=True, text=True, timeout=60)
        check(done.returncode == 0, f"farm status: {done.stderr}")
        return json.loads(done.stdout)

    def serving(self):
        """Calls done, by the name of the worker, of those that serve the model."""
        status = self.status()
        ready = {one["worker"] for one in status["services"] if not one["failure"]}
        return {one["name"]: one["done"] for one in status["workers"] if one["name"] in ready}

    def new_worker(self, known):
        """The name of a worker that serves and is not among the known, or None."""
        return next((name for name in self.serving() if name not in known), None)


class Load:
    """Several streams of calls, so that one that begins anew never leaves the farm idle. Use as a
    context: what has not been stopped by its end is killed."""

    def __init__(self, farm, stream_count=3):
        self.farm = farm
        self.stopped = threading.Event()
        self.problems = []
        self.counts = [0] * stream_count
        self.running = {}
        self.threads = [threading.Thread(target=self._stream, args=(number,))
                        for number in range(stream_count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        while any(thread.is_alive() for thread in self.threads):
            for bench in list(self.running.values()):
                bench.kill()
            self.threads[0].join(timeout=0.1)

    def stop(self):
        """Lets the calls that are open end; how many were counted, each of which ended OK."""
        self.stopped.set()
        wait_until("the last calls", lambda: not any(one.is_alive() for one in self.threads))
        check(not self.problems, "; ".join(self.problems))
        return sum(self.counts)

    def _stream(self, number):
        report = self.farm.folder / f"stream-{number}.json"
        while not self.stopped.is_set() and not self.problems:
            bench = self.running[number] = subprocess.Popen(
                [self.farm.tool, "bench", "work", "--concurrency", "4", "--window-ms", "1000",
                 "--max-windows", "5", "--json", report, "--broker", self.farm.url],
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            said = bench.communicate()[1]
            if bench.returncode != 0:
                self.problems.append(f"farm bench: exit code {bench.returncode}: {said}")
                return
            for level in json.loads(report.read_text())["levels"]:
                statuses = {name: count for name, count in level["statuses"].items() if count}
                self.counts[number] += statuses.pop("OK", 0)
                if statuses:
                    self.problems.append(f"calls that did not end OK: {statuses}")


def run(programs, folder):
    tool, broker, worker, batch = programs
    (folder / "models" / "work" / "1").mkdir(parents=True)
    (folder / "models" / "work" / "config.pbtxt").write_text(MODEL)
    with slurm.Cluster(folder, wait_until) as cluster:
        farm = Farm(tool, broker, folder)
        try:
            story(cluster, farm, worker, batch)
        finally:
            farm.stop()


def story(cluster, farm, worker, batch):
    folder = cluster.folder

    def start_worker():
        settings = f"ALL,FARM_BROKER={farm.url},FARM_MODELS={folder}/models,FARM_WORKER={worker}"
        return cluster.submit("--partition=low", "--nodes=1", f"--chdir={folder}",
                              f"--output={folder}/job-%j.log", f"--export={settings}", batch,
                              "--device", "cpu")

    def check_drained(job_id, name):
        """That the worker finished what it had, took its leave, and ended well."""
        said = (folder / f"job-{job_id}.log").read_text()
        check("the workers have left with exit code 0" in said, f"job {job_id} said: {said}")
        check("asked to stop: draining" in said, f"the worker of job {job_id} was not asked to stop")
        broker_said = [line for line in farm.log_file.read_text().splitlines() if name in line]
        check(any("said goodbye: drained" in line for line in broker_said),
              f"no GOODBYE of {name}: {broker_said}")

    wait_until("the broker", lambda: "listening" in farm.log_file.read_text())
    first_job = start_worker()
    first = wait_until("the first worker", lambda: farm.new_worker([]))
    with Load(farm) as load:
        wait_until("calls done by the first worker", lambda: farm.serving().get(first, 0) > 20)

        second_job = start_worker()
        second = wait_until("the second worker", lambda: farm.new_worker([first]))
        wait_until("calls done by the second worker", lambda: farm.serving().get(second, 0) > 20)

        node = cluster.job(first_job)["NodeList"]
        high_job = cluster.submit("--partition=high", f"--nodelist={node}", f"--chdir={folder}",
                                  "--output=/dev/null", "--wrap=exec sleep infinity")
        wait_until("the job that pre-empts the first worker",
                   lambda: cluster.job(high_job)["JobState"] == "RUNNING")
        job = cluster.job(first_job)
        check_drained(first_job, first)
        check(job["PreemptTime"] != "None" and job["ExitCode"] == "0:0",
              f"the first job was not pre-empted, or did not end well: {job}")
        check(list(farm.serving()) == [second], f"not only {second} is left: {farm.serving()}")

        done = farm.serving()[second]
        wait_until("calls after the pre-emption", lambda: farm.serving()[second] > done + 20)
        call_count = load.stop()

    # What Slurm does before the time of a job is over (--signal=B:TERM@90).
    cluster.command("scancel", "--signal=TERM", "--batch", second_job)
    wait_until("the end of the second job",
               lambda: cluster.job(second_job)["JobState"] == "COMPLETED")
    check_drained(second_job, second)

    status = farm.status()["broker"]
    # An attempt that a leaving worker did not start is sent again by the client, whose calls all
    # ended OK (Load.stop): so every attempt has its answer, and nothing but these ended otherwise.
    check(status["answered_ok"] + status["answered_other"] >= status["accepted"],
          f"some attempts got no answer: {status}")
    check(status["answered_ok"] >= call_count > 0, f"{call_count} calls ended OK: {status}")
    check(status["refused"] == 0, f"some calls were refused: {status}")
    print(f"{status['answered_ok']} calls, all OK", flush=True)


def show_logs(folder):
    for log in sorted(folder.glob("*.log")):
        print(f"--- {log.name}\n{log.read_text(errors='replace')[-6000:]}", flush=True)


def stop_at_signal(number, _):
    raise Failed(f"stopped by signal {number}")


def main(programs):
    reason = slurm.why_not()
    if reason:
        print(f"Skipped: {reason}")
        return 77
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop_at_signal)
    with tempfile.TemporaryDirectory(prefix="farm-slurm-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # munge wants its socket where everybody may look
        try:
            run(programs, folder)
        except Exception as problem:
            show_logs(folder)
            print(f"FAILED: {problem}", flush=True)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
