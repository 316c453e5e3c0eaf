#!/usr/bin/env python3
"""delta-rs as the judge of our Delta tables: reads what we write, writes what we read, races us.

usage: delta_rs.py LAKE_SAMPLE      (the program built from lake_sample.cc)
Prints one line per check and ends non-zero on a failure.
"""
import datetime
import json
import pathlib
import subprocess
import sys
import tempfile

import deltalake
import pyarrow as pa
import pyarrow.parquet

import rows

def rows_of(table):
    return rows.canonical(table.to_pyarrow_table().to_pylist())


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
    for facts in rows.sample(program, "write", root):
        name = facts["table"]
        table = deltalake.DeltaTable(root / "lake" / name)
        rows.check(f"{name}: version", table.version() == facts["version"], table.version())
        rows.check(f"{name}: schema", json.loads(table.schema().to_json()) == json.loads(facts["schema"]),
              table.schema().to_json())
        rows.check(f"{name}: protocol", (table.protocol().min_reader_version,
                                    table.protocol().min_writer_version) == (1, 2))
        for app_id, version in facts["txns"].items():
            rows.check(f"{name}: txn", table.transaction_version(app_id) == version,
                  table.transaction_version(app_id))
        got, want = rows_of(table), rows.canonical(facts["rows"])
        difference = next((f"{g} / {w}" for g, w in zip(got, want) if g != w), len(got))
        rows.check(f"{name}: {len(want)} rows", got == want, difference)
        columns = [f.name for f in table.schema().fields
                   if isinstance(f.type, deltalake.schema.PrimitiveType)]
        problem = stats_are_sound(table, columns)
        rows.check(f"{name}: statistics", not problem, problem)
        history = table.history()
        rows.check(f"{name}: history", len(history) == facts["version"] + 1 and
              history[-1]["operation"] == "CREATE TABLE", history[0])
        for version in range(facts["version"] + 1):
            table.load_as_version(version)
        rows.check(f"{name}: every version loads", True)
    checkpoints = list((root / "lake/stream/_delta_log").glob("*.checkpoint.parquet"))
    rows.check("stream: checkpoints are there", len(checkpoints) >= 1)
    # Only the checkpoint can tell what was before it once the commits are gone.
    last = json.loads((root / "lake/stream/_delta_log/_last_checkpoint").read_text())["version"]
    for commit in (root / "lake/stream/_delta_log").glob("*.json"):
        if int(commit.stem) <= last:
            commit.unlink()
    table = deltalake.DeltaTable(root / "lake/stream")
    rows.check("stream: read from the checkpoint alone",
          table.to_pyarrow_table().num_rows == 350 and
          table.transaction_version("stream/uuid/0") == 349)
    again = rows.sample(program, "read", root, "stream")[0]
    rows.check("stream: we read it from the checkpoint too",
          len(again["rows"]) == 350 and again["txns"] == {"stream/uuid/0": 349})


def check_credentials(program, root):
    want = rows.sample(program, "credentials", root)
    table = deltalake.DeltaTable(root / "lake/authentication_credentials")
    rows.check_rows("authentication_credentials", table.to_pyarrow_table().to_pylist(), want)


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
    got = rows.sample(program, "read", root, "theirs")[0]
    table = deltalake.DeltaTable(at)
    rows.check("theirs: version", got["version"] == table.version(), got["version"])
    rows.check("theirs: txn", got["txns"] == {"them": 7}, got["txns"])
    want = rows_of(table)
    rows.check("theirs: rows", rows.canonical(got["rows"]) == want, f"{rows.canonical(got['rows'])} / {want}")

    parts = root / "lake/partitioned"
    deltalake.write_deltalake(parts, pa.table({
        "n": pa.array([1, 2, 3, 4], pa.int64()),
        "p": pa.array(["a b", "x/y=z%", None, "\u00fc"]),
    }), partition_by=["p"])
    got = rows.sample(program, "read", root, "partitioned")[0]
    want = rows_of(deltalake.DeltaTable(parts))
    rows.check("partitioned by delta-rs: rows", rows.canonical(got["rows"]) == want, got["rows"])


def check_race(program, root):
    at = root / "lake/race"
    deltalake.write_deltalake(at, pa.table({"n": pa.array([], pa.int64()),
                                            "text": pa.array([], pa.string())}))
    writers = [subprocess.Popen([program, "race", str(root), "race", f"app{i}", "25"],
                                stdout=subprocess.PIPE, text=True) for i in range(3)]
    batch = pa.table({"n": pa.array(range(10), pa.int64()), "text": pa.array(["rs"] * 10)})
    patient = deltalake.CommitProperties(max_commit_retries=1000)  # ours are quick: its 15 can all be lost
    for _ in range(25):
        deltalake.write_deltalake(at, batch, mode="append", commit_properties=patient)
    codes = [writer.wait() for writer in writers]
    table = deltalake.DeltaTable(at)
    rows.check("race: every writer finished", codes == [0, 0, 0], codes)
    rows.check("race: no lost commit", table.version() == 100, table.version())
    got = table.to_pyarrow_table().to_pydict()["text"]
    rows.check("race: no lost or doubled row",
          {name: got.count(name) for name in sorted(set(got))} ==
          {"app0": 250, "app1": 250, "app2": 250, "rs": 250})
    rows.check("race: we see the same", len(rows.sample(program, "read", root, "race")[0]["rows"]) == 1000)


def main():
    program = sys.argv[1]
    print(f"deltalake {deltalake.__version__}")
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory) / "data"
        root.mkdir()
        check_ours(program, root)
        check_credentials(program, root)
        check_theirs(program, root)
        check_race(program, root)
    rows.finish()


if __name__ == "__main__":
    main()
