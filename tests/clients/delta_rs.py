#!/usr/bin/env python3
"""delta-rs as the judge of our Delta tables: reads what we write, writes what we read, races us.

usage: delta_rs.py LAKE_SAMPLE      (the program built from lake_sample.cc)
Needs `pip install deltalake pyarrow`. Prints one line per check and ends non-zero on a failure.
"""
import datetime
import decimal
import json
import pathlib
import subprocess
import sys
import tempfile

import deltalake
import pyarrow as pa
import pyarrow.parquet

failures = 0


def check(name, good, detail=""):
    global failures
    failures += not good
    print(("ok      " if good else "FAILED  ") + name + (f": {detail}" if detail and not good else ""))


def run(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{arguments}: {done.stderr}")
    return [json.loads(part) for part in done.stdout.split("\n\n") if part.strip()]


def plain(value):
    """A value as DuckDB's to_json spells it, as far as two spellings can be compared."""
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex().upper()
    if isinstance(value, list) and value and all(isinstance(v, tuple) for v in value):
        return {k: plain(v) for k, v in value}
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return value


def ours(key, value):
    if key == "at" and isinstance(value, str):
        return datetime.datetime.fromisoformat(value.replace("+00", "+00:00")).timestamp()
    return value


def rows_of(table):
    return sorted((json.dumps({k: plain(v) for k, v in row.items()}, sort_keys=True)
                   for row in table.to_pyarrow_table().to_pylist()))


def expected(rows):
    return sorted(json.dumps({k: ours(k, v) for k, v in row.items()}, sort_keys=True)
                  for row in rows)


def stats_are_sound(table, columns):
    """Every bound and count that we wrote holds for the rows of its file."""
    adds = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    for add in adds:
        path = pathlib.Path(table.table_uri.removeprefix("file://")) / add["path"]
        data = pyarrow.parquet.read_table(path)
        if add["num_records"] != data.num_rows:
            return f"{add['path']}: num_records"
        for column in columns:
            values = [v for v in data.column(column).to_pylist() if v is not None]
            low, high = add.get(f"min.{column}"), add.get(f"max.{column}")
            if low is not None and values and min(values) < low:
                return f"{column}: {min(values)!r} < min {low!r}"
            if high is not None and values and max(values) > high:
                return f"{column}: {max(values)!r} > max {high!r}"
            nulls = add.get(f"null_count.{column}")
            if nulls is not None and nulls != data.num_rows - len(values):
                return f"{column}: null_count {nulls}"
    return ""


def check_ours(program, root):
    for facts in run(program, "write", root):
        name = facts["table"]
        table = deltalake.DeltaTable(root / "lake" / name)
        check(f"{name}: version", table.version() == facts["version"], table.version())
        check(f"{name}: schema", json.loads(table.schema().to_json()) == json.loads(facts["schema"]),
              table.schema().to_json())
        check(f"{name}: protocol", (table.protocol().min_reader_version,
                                    table.protocol().min_writer_version) == (1, 2))
        for app_id, version in facts["txns"].items():
            check(f"{name}: txn", table.transaction_version(app_id) == version,
                  table.transaction_version(app_id))
        got, want = rows_of(table), expected(facts["rows"])
        difference = next((f"{g} / {w}" for g, w in zip(got, want) if g != w), len(got))
        check(f"{name}: {len(want)} rows", got == want, difference)
        columns = [f.name for f in table.schema().fields
                   if isinstance(f.type, deltalake.schema.PrimitiveType)]
        problem = stats_are_sound(table, columns)
        check(f"{name}: statistics", not problem, problem)
        history = table.history()
        check(f"{name}: history", len(history) == facts["version"] + 1 and
              history[-1]["operation"] == "CREATE TABLE", history[0])
        for version in range(facts["version"] + 1):
            table.load_as_version(version)
        check(f"{name}: every version loads", True)
    checkpoints = list((root / "lake/stream/_delta_log").glob("*.checkpoint.parquet"))
    check("stream: checkpoints are there", len(checkpoints) >= 1)
    # Only the checkpoint can tell what was before it once the commits are gone.
    last = json.loads((root / "lake/stream/_delta_log/_last_checkpoint").read_text())["version"]
    for commit in (root / "lake/stream/_delta_log").glob("*.json"):
        if int(commit.stem) <= last:
            commit.unlink()
    table = deltalake.DeltaTable(root / "lake/stream")
    check("stream: read from the checkpoint alone",
          table.to_pyarrow_table().num_rows == 350 and
          table.transaction_version("stream/uuid/0") == 349)
    again = run(program, "read", root, "stream")[0]
    check("stream: we read it from the checkpoint too",
          len(again["rows"]) == 350 and again["txns"] == {"stream/uuid/0": 349})


def check_theirs(program, root):
    at = root / "lake/theirs"
    utc = datetime.timezone.utc
    first = pa.table({
        "n": pa.array([1, 2, 3], pa.int64()),
        "text": pa.array(["a", None, "c"]),
        "at": pa.array([datetime.datetime(2024, 1, 1, 12, 0, 0, 123456, utc)] * 3,
                       pa.timestamp("us", "UTC")),
        "coordinates": pa.array([[1.5, 2.5], None, []], pa.list_(pa.float64())),
        "day": pa.array([datetime.date(2024, 1, 1), None, datetime.date(2024, 1, 3)]),
    })
    deltalake.write_deltalake(at, first)
    more = first.slice(0, 1).append_column("extra", pa.array([True]))
    deltalake.write_deltalake(at, more, mode="append", schema_mode="merge")
    table = deltalake.DeltaTable(at)
    table.create_checkpoint()
    deltalake.write_deltalake(at, first.slice(1, 2), mode="append", schema_mode="merge",
                              commit_properties=deltalake.CommitProperties(
                                  app_transactions=[deltalake.Transaction("them", 7)]))
    table = deltalake.DeltaTable(at)
    table.delete("n = 3")
    got = run(program, "read", root, "theirs")[0]
    table = deltalake.DeltaTable(at)
    check("theirs: version", got["version"] == table.version(), got["version"])
    check("theirs: txn", got["txns"] == {"them": 7}, got["txns"])
    want = rows_of(table)
    check("theirs: rows", expected(got["rows"]) == want, f"{expected(got['rows'])} / {want}")

    parts = root / "lake/partitioned"
    deltalake.write_deltalake(parts, pa.table({
        "n": pa.array([1, 2, 3, 4], pa.int64()),
        "p": pa.array(["a b", "x/y=z%", None, "\u00fc"]),
    }), partition_by=["p"])
    got = run(program, "read", root, "partitioned")[0]
    want = rows_of(deltalake.DeltaTable(parts))
    check("partitioned by delta-rs: rows", expected(got["rows"]) == want, got["rows"])


def check_race(program, root):
    at = root / "lake/race"
    deltalake.write_deltalake(at, pa.table({"n": pa.array([], pa.int64()),
                                            "text": pa.array([], pa.string())}))
    writers = [subprocess.Popen([program, "race", str(root), "race", f"app{i}", "25"],
                                stdout=subprocess.PIPE, text=True) for i in range(3)]
    rows = pa.table({"n": pa.array(range(10), pa.int64()), "text": pa.array(["rs"] * 10)})
    for _ in range(25):
        deltalake.write_deltalake(at, rows, mode="append")
    codes = [writer.wait() for writer in writers]
    table = deltalake.DeltaTable(at)
    check("race: every writer finished", codes == [0, 0, 0], codes)
    check("race: no lost commit", table.version() == 100, table.version())
    got = table.to_pyarrow_table().to_pydict()["text"]
    check("race: no lost or doubled row",
          {name: got.count(name) for name in sorted(set(got))} ==
          {"app0": 250, "app1": 250, "app2": 250, "rs": 250})
    check("race: we see the same", len(run(program, "read", root, "race")[0]["rows"]) == 1000)


def main():
    program = sys.argv[1]
    print(f"deltalake {deltalake.__version__}")
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory) / "data"
        root.mkdir()
        check_ours(program, root)
        check_theirs(program, root)
        check_race(program, root)
    print("all good" if failures == 0 else f"{failures} failed")
    sys.exit(failures != 0)


if __name__ == "__main__":
    main()
