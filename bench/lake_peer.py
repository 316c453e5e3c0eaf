#!/usr/bin/env python3
"""delta-rs on the work of bench_lake, for the comparison in bench/results.md.

usage: lake_peer.py [DIRECTORY]      needs `pip install deltalake pyarrow`; delta-rs does no fsync
"""
import pathlib
import shutil
import sys
import tempfile
import time

import deltalake
import pyarrow as pa


def rows(first, last):
    return pa.table({"n": pa.array(range(first, last), pa.int64()),
                     "text": pa.array([f"row {i}" for i in range(first, last)], pa.string())})


def timed(what, work):
    start = time.perf_counter()
    result = work()
    print(f"{what}: {(time.perf_counter() - start) * 1e3:.1f} ms")
    return result


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
    root.mkdir(parents=True, exist_ok=True)
    print(f"deltalake {deltalake.__version__}")
    at = root / "appends"
    deltalake.write_deltalake(at, rows(0, 0))
    table = deltalake.DeltaTable(at)
    data = [rows(i * 10, i * 10 + 10) for i in range(1000)]
    start = time.perf_counter()
    for batch in data:
        deltalake.write_deltalake(table, batch, mode="append")
    seconds = time.perf_counter() - start
    print(f"1000 appends of 10 rows: {seconds:.2f} s, {1000 / seconds:.0f} commits/s")
    timed("opening them", lambda: deltalake.DeltaTable(at))
    timed("count of version 500",
          lambda: deltalake.DeltaTable(at, version=500).to_pyarrow_table().num_rows)
    timed("optimize", lambda: deltalake.DeltaTable(at).optimize.compact())

    replay = root / "replay"
    deltalake.write_deltalake(replay, rows(0, 0))
    deltalake.write_deltalake(replay, rows(0, 10), mode="append")
    line = (replay / "_delta_log" / f"{1:020}.json").read_text()
    uuid = line.index("part-00000-") + 11
    for version in range(2, 10_001):
        text = line[:uuid] + f"{version:012}" + line[uuid + 12:]
        (replay / "_delta_log" / f"{version:020}.json").write_text(text)
    for _ in range(3):
        timed("replay of 10000 commits", lambda: deltalake.DeltaTable(replay))
    table = deltalake.DeltaTable(replay)
    timed("checkpoint of 10000 files", table.create_checkpoint)
    for _ in range(3):
        timed("opening it through the checkpoint", lambda: deltalake.DeltaTable(replay))

    large = rows(0, 10_000_000)
    timed("append of 10000000 rows", lambda: deltalake.write_deltalake(root / "large", large))
    shutil.rmtree(root)


if __name__ == "__main__":
    main()
