#!/usr/bin/env python3
"""Spark on the work of bench_lake and lake_peer.py, for the comparison in bench/results.md. Needs the peers of
`make interop-spark-delta`: JARS is their folder of jars.

usage: JARS=build/peers/spark-delta-jars-… build/peers/spark-delta-requirements-…/bin/python bench/lake_spark.py [DIRECTORY]
"""
import pathlib
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/clients/spark-delta"))
import session  # noqa: E402

APPENDS = 50  # of the thousand: a thousand would take a quarter of an hour


def timed(what, work):
    start = time.perf_counter()
    result = work()
    print(f"{what}: {(time.perf_counter() - start) * 1e3:.0f} ms", flush=True)
    return result


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
    spark = session.start()
    print(f"Spark {spark.version}")

    def rows(first, last):
        return spark.range(first, last, 1, 1).selectExpr("id AS n", "concat('row ', id) AS text")

    def write(name, frame, mode="append"):
        frame.write.format("delta").mode(mode).save(str(root / name))

    def load(name, **options):
        reader = spark.read.format("delta")
        for key, value in options.items():
            reader = reader.option(key, value)
        return reader.load(str(root / name))

    write("appends", rows(0, 10))  # what is only slow the first time
    start = time.perf_counter()
    for i in range(1, APPENDS + 1):
        write("appends", rows(i * 10, i * 10 + 10))
    seconds = time.perf_counter() - start
    print(f"{APPENDS} appends of 10 rows: {seconds:.2f} s, {APPENDS / seconds:.1f} commits/s", flush=True)
    timed(f"count of version {APPENDS // 2}", lambda: load("appends", versionAsOf=APPENDS // 2).count())

    write("replay", rows(0, 10))
    log = root / "replay/_delta_log"
    line = (log / f"{0:020}.json").read_text()
    add = next(part for part in line.splitlines() if part.startswith('{"add"'))
    name = add[add.index("part-"):add.index(".parquet")]
    for version in range(1, 10_001):
        (log / f"{version:020}.json").write_text(add.replace(name, f"part-{version:012}-replayed") + "\n")
    for _ in range(3):
        spark.sql("CLEAR CACHE")
        spark._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()
        timed("replay of 10000 commits", lambda: spark.sql(f"DESCRIBE DETAIL delta.`{root}/replay`").collect())

    timed("append of 10000000 rows", lambda: write("large", rows(0, 10_000_000)))
    shutil.rmtree(root)


if __name__ == "__main__":
    main()
