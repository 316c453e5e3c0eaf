"""Measures for bench/stream/peer, each side alone with the machine, one after the other:
  - a backlog of all three data sets, after a first one that warms both up: rows per CPU-second. Ours is the whole server's CPU,
    Spark's that of its process; what our server spends on serving Spark counts for nobody;
  - freshness: with both data and probes as bench/stream_freshness sends them, from a probe's answer until delta-rs sees its row.
"""
import argparse
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
FRESHNESS = ROOT / "bench/stream_freshness"
TICKS = os.sysconf("SC_CLK_TCK")


def load_freshness():
    loader = importlib.machinery.SourceFileLoader("stream_freshness", str(FRESHNESS))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("stream_freshness", loader))
    loader.exec_module(module)
    return module


bench = load_freshness()


def cpu_seconds(pid):
    """Of the process and its children that live."""
    total, pids = 0, [pid]
    while pids:
        one = pids.pop()
        fields = pathlib.Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
        for task in pathlib.Path(f"/proc/{one}/task").iterdir():
            pids += [int(child) for child in (task / "children").read_text().split()]
    return total / TICKS


class Ours:
    name = "pinpipe"

    def __init__(self, command, scratch, interval):
        self.command = [command, "--data", f"{scratch}/data", "--overlay", f"{scratch}/over"]
        pathlib.Path(scratch, "over").mkdir()
        pathlib.Path(scratch, "over/pinpipe.yaml").write_text(f"stream_job: {{ interval: {interval} }}\n")
        self.process = subprocess.Popen([*self.command, "up", "--ports", "auto"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        endpoints = pathlib.Path(scratch, "data/run/endpoints.json")
        while not endpoints.exists():
            time.sleep(0.1)
        self.found = json.loads(endpoints.read_text())
        self.tables = f"{scratch}/data/lake/delta"

    def table(self, dataset):
        return f"{self.tables}/{bench.ID}_{dataset}_table"

    def cli(self, *words):
        done = subprocess.run([*self.command, *words, "-o", "json"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join(words)}: {done.stderr}")
        return json.loads(done.stdout or "[]")

    def drain(self):
        self.cli("stream-job", "start", "--trigger", "available-now", "--wait", "--timeout", "600")

    def follow(self):
        self.cli("stream-job", "start")

    def stop(self):
        self.cli("stream-job", "stop")


class Spark:
    name = "Spark"

    def __init__(self, ours, scratch):
        self.tables = f"{scratch}/spark"
        self.log = open(f"{scratch}/spark.log", "w", encoding="utf-8")
        self.process = subprocess.Popen([sys.executable, str(ROOT / "bench/stream/spark_job.py"), ours.found["kafka"],
                                         str(ROOT / "projects/pinterest"), self.tables],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.expect("ready")

    def expect(self, word):
        for line in self.process.stdout:
            if line.strip() == word:
                return
        sys.exit("Spark ended:\n" + pathlib.Path(self.log.name).read_text()[-4000:])

    def tell(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        self.expect("done")

    def table(self, dataset):
        return f"{self.tables}/{dataset}"

    def drain(self):
        self.tell("available")

    def follow(self):
        self.tell("follow")

    def stop(self):
        self.tell("stop")


def fill(at, records):
    """So many records of each data set."""
    def of(dataset):
        client = bench.Client(at)
        key, row = bench.ROWS[dataset]
        for first in range(0, records, 500):
            batch = [{"Data": bench.data({**row, key: first + i}), "PartitionKey": str(i)} for i in range(min(500, records - first))]
            status, answer = client.kinesis("PutRecords", {"StreamName": f"streaming-{bench.ID}-{dataset}", "Records": batch})
            if status != 200 or answer["FailedRecordCount"]:
                sys.exit(f"PutRecords: {status} {str(answer)[:300]}")
    threads = [threading.Thread(target=of, args=(name,)) for name in bench.ROWS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def rows_in(side):
    import deltalake
    return sum(deltalake.DeltaTable(side.table(name)).to_pyarrow_dataset().count_rows() for name in bench.ROWS)


def drained(side, expected):
    cpu, begin = cpu_seconds(side.process.pid), time.monotonic()
    side.drain()
    seconds, cpu = time.monotonic() - begin, cpu_seconds(side.process.pid) - cpu
    if rows_in(side) != expected:
        sys.exit(f"{side.name}: {rows_in(side)} rows, not {expected}")
    return seconds, cpu


def freshness(side, found, options, first):
    """Milliseconds from each probe's answer until delta-rs saw it; None for those that it did not see."""
    side.follow()
    watcher = subprocess.Popen([sys.executable, str(FRESHNESS), "--watch", side.table("user")], stdout=subprocess.PIPE, text=True)
    visible, answered, sent = {}, {}, {name: 0 for name in bench.ROWS}
    threading.Thread(target=lambda: visible.update((int(n), float(t)) for n, t in map(str.split, watcher.stdout)),
                     daemon=True).start()
    until = time.time() + options.seconds
    threads = [threading.Thread(target=bench.load, args=(found["aws"], name, options.rate / 3, until, sent)) for name in bench.ROWS]
    for thread in threads:
        thread.start()
    put, number = bench.Client(found["aws"]), bench.PROBES + first
    while time.time() < until:
        number += 1
        put.kinesis("PutRecord", {"StreamName": f"streaming-{bench.ID}-user", "PartitionKey": str(number),
                                  "Data": bench.data({**bench.USER, "ind": number})})
        answered[number] = time.time()
        time.sleep(0.1)
    for thread in threads:
        thread.join()
    deadline = time.time() + 60
    while len(visible.keys() & answered.keys()) < len(answered) and time.time() < deadline:
        time.sleep(0.1)
    watcher.kill()
    side.stop()
    return [(visible[n] - t) * 1000 for n, t in answered.items() if n in visible], sum(sent.values()), len(answered)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--scratch", required=True)
    options.add_argument("--backlog", type=int, default=300_000)
    options.add_argument("--rate", type=int, default=5000)
    options.add_argument("--seconds", type=int, default=40)
    options.add_argument("--interval", type=float, default=1)
    options = options.parse_args()
    ours = Ours(os.environ["PINPIPE"], options.scratch, options.interval)
    ours.stop()
    warm, each = 30_000 // 3, options.backlog // 3
    fill(ours.found["aws"], warm)
    spark = Spark(ours, options.scratch)
    try:
        for side in (ours, spark):
            drained(side, 3 * warm)
        fill(ours.found["aws"], each)
        told = {}
        for side in (ours, spark):
            seconds, cpu = drained(side, 3 * (warm + each))
            told[side.name] = 3 * each / cpu
            print(f"{side.name}: backlog of {3 * each} records in {seconds:.1f} s = {3 * each / seconds:.0f}/s, {cpu:.1f} CPU-s = "
                  f"{told[side.name]:.0f} rows per CPU-second", flush=True)
        print(f"rows per CPU-second: {told['pinpipe'] / told['Spark']:.1f} times Spark's", flush=True)
        fresh = {}
        for turn, side in enumerate((ours, spark)):
            times, sent, probes = freshness(side, ours.found, options, turn * 1_000_000)
            fresh[side.name] = bench.percentile(times, .5)
            print(f"{side.name}: {sent / options.seconds:.0f} records/s for {options.seconds} s; answered → delta-rs: p50 "
                  f"{bench.percentile(times, .5):.0f} ms, p99 {bench.percentile(times, .99):.0f} ms; {len(times)} of {probes} probes seen",
                  flush=True)
        print(f"freshness at the median: {fresh['Spark'] / fresh['pinpipe']:.1f} times as fresh as Spark's", flush=True)
    finally:
        spark.process.kill()
        ours.process.kill()


main()
