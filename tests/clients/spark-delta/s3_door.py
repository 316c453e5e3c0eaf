#!/usr/bin/env python3
"""delta-rs and DuckDB's delta extension read the lake through the S3 door; delta-rs and our own
remote store also write there, beside writers on the directory, and no commit is lost.

usage: s3_door.py LAKE_SAMPLE DATA LAKE_URI FACTS     (the AWS_… variables name the door)
"""
import json
import os
import pathlib
import subprocess
import sys

import deltalake
import duckdb
import pyarrow as pa

import rows


def options():
    return {"AWS_ENDPOINT_URL": os.environ["AWS_ENDPOINT_URL"], "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": os.environ["AWS_ACCESS_KEY_ID"],
            "AWS_SECRET_ACCESS_KEY": os.environ["AWS_SECRET_ACCESS_KEY"],
            "AWS_REGION": os.environ["AWS_REGION"], "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false",
            "conditional_put": "etag"}


def duckdb_session():
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    wheels = pathlib.Path(duckdb.__file__).parent.parent / "duckdb_ext"
    for extension in ("httpfs", "delta"):
        connection.execute(f"LOAD '{next(wheels.rglob(extension + '.duckdb_extension'))}'")
    connection.execute("SET TimeZone = 'UTC'")
    endpoint = os.environ["AWS_ENDPOINT_URL"].removeprefix("http://")
    connection.execute(f"""CREATE SECRET (TYPE s3, KEY_ID '{os.environ["AWS_ACCESS_KEY_ID"]}',
        SECRET '{os.environ["AWS_SECRET_ACCESS_KEY"]}', REGION '{os.environ["AWS_REGION"]}',
        ENDPOINT '{endpoint}', URL_STYLE 'path', USE_SSL false)""")
    return connection


def main():
    program, data, lake = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
    facts = {part["table"]: part for part in map(json.loads, pathlib.Path(sys.argv[4]).read_text().split("\n\n")[:-1])}
    session = duckdb_session()
    for name, about in facts.items():
        table = deltalake.DeltaTable(f"{lake}/{name}", storage_options=options())
        rows.check(f"{name}: version", table.version() == about["version"], table.version())
        rows.check_rows(f"{name} by delta-rs", table.to_pyarrow_table().to_pylist(), about["rows"])
        count = session.execute(f"SELECT count(*) FROM delta_scan('{lake}/{name}')").fetchone()[0]
        rows.check(f"{name} by DuckDB: {count} rows", count == len(about["rows"]))
        if name != "every_type":
            got = session.execute(f"SELECT * FROM delta_scan('{lake}/{name}')").fetch_arrow_table().to_pylist()
            rows.check_rows(f"{name} by DuckDB", got, about["rows"])

    # Writers at the door and on the directory itself, at the same time.
    deltalake.write_deltalake(f"{lake}/race", pa.table({"n": pa.array([], pa.int64()), "text": pa.array([], pa.string())}),
                              storage_options=options())
    (data / "root").mkdir()
    (data / "root/lake").symlink_to(data / "lake/delta")
    writers = [subprocess.Popen([program, "race", str(data / "root"), "race", f"app{i}", "20"],
                                stdout=subprocess.DEVNULL) for i in range(2)]
    # Our own remote store, at the same door.
    writers.append(subprocess.Popen([program, "race", lake, "race", "remote", "20"], stdout=subprocess.DEVNULL))
    batch = pa.table({"n": pa.array(range(10), pa.int64()), "text": pa.array(["door"] * 10)})
    for _ in range(20):
        deltalake.write_deltalake(f"{lake}/race", batch, mode="append", storage_options=options(),
                                  commit_properties=deltalake.CommitProperties(max_commit_retries=1000))
    rows.check("race: every writer finished", [w.wait() for w in writers] == [0, 0, 0])
    table = deltalake.DeltaTable(f"{lake}/race", storage_options=options())
    texts = table.to_pyarrow_table().to_pydict()["text"]
    rows.check("race: no lost commit", table.version() == 80, table.version())
    rows.check("race: no lost or doubled row",
               {t: texts.count(t) for t in sorted(set(texts))} == {"app0": 200, "app1": 200, "door": 200, "remote": 200})
    ours = rows.sample(program, "read", lake, "race")[0]
    rows.check("race: our remote store reads the same", len(ours["rows"]) == 800, len(ours["rows"]))
    for verb in ("optimize", "checkpoint"):
        rows.sample(program, verb, lake, "race")
    table = deltalake.DeltaTable(f"{lake}/race", storage_options=options())
    rows.check("race: delta-rs reads it after we optimized it there", table.to_pyarrow_table().num_rows == 800 and
               len(table.file_uris()) == 1, table.file_uris())
    shown = subprocess.run([os.environ["PINPIPE"], "--data", str(data), "table", "read", "race", "--rows", "1000",
                            "-o", "json"], capture_output=True, text=True)
    rows.check("race: `pinpipe table read` shows the same", shown.returncode == 0 and
               len(json.loads(shown.stdout)) == 800, shown.stderr)
    rows.finish()


if __name__ == "__main__":
    main()
