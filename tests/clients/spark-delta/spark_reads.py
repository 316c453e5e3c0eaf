#!/usr/bin/env python3
"""Spark as the judge of the tables that we write: rows, types, history, time travel, transactions; also after we
optimized, restored, added a column and wrote a checkpoint.

usage: spark_reads.py LAKE_SAMPLE FOLDER
"""
import json
import pathlib
import sys

import rows
import session


def schema_of(frame):
    return json.loads(frame.schema.json())


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True)
    spark = session.start()

    def load(name, **options):
        reader = spark.read.format("delta")
        for key, value in options.items():
            reader = reader.option(key, value)
        return reader.load(str(folder / "lake" / name))

    for facts in rows.sample(program, "write", folder):
        name = facts["table"]
        frame = load(name)
        rows.check(f"{name}: schema", schema_of(frame) == json.loads(facts["schema"]), schema_of(frame))
        rows.check_rows(name, session.rows_of(frame), facts["rows"])
        history = spark.sql(f"DESCRIBE HISTORY delta.`{folder}/lake/{name}`").collect()
        rows.check(f"{name}: history", [h["version"] for h in history] == list(range(facts["version"], -1, -1)) and
                   history[-1]["operation"] == "CREATE TABLE", history[:2])
        for version in {0, facts["version"] // 2, facts["version"]}:
            ours = rows.sample(program, "read", folder, name, version)[0]
            rows.check_rows(f"{name} at version {version}", session.rows_of(load(name, versionAsOf=version)),
                            ours["rows"])
        detail = spark.sql(f"DESCRIBE DETAIL delta.`{folder}/lake/{name}`").collect()[0]
        rows.check(f"{name}: protocol", (detail["minReaderVersion"], detail["minWriterVersion"]) == (1, 2), detail)

    keys = rows.sample(program, "credentials", folder)
    rows.check_rows("authentication_credentials", session.rows_of(load("authentication_credentials")), keys)

    # Statistics: what Spark finds with skipping is what it finds without.
    conditions = ["big > 100000000000", "text = 'row 7üüüüüüü'", "text >= 'row 4'", "ratio < 10", "price >= 50.5",
                  "day = date'2024-02-01'", "at > timestamp'2024-04-01 10:00:00'", "text IS NULL", "even",
                  "nested.name IS NULL", "nested.x > 50", "coordinates IS NULL"]
    for condition in conditions:
        counts = []
        for skipping in ("true", "false"):
            spark.conf.set("spark.databricks.delta.stats.skipping", skipping)
            counts.append(load("every_type").where(condition).count())
        rows.check(f"every_type where {condition}", counts[0] == counts[1], counts)

    for verb in (["optimize", "stream"], ["add_column", "stream"], ["checkpoint", "stream"], ["restore", "clean", 1]):
        ours = rows.sample(program, verb[0], folder, *verb[1:])[0]
        frame = load(verb[1])
        rows.check_rows(f"after {' '.join(map(str, verb))}", session.rows_of(frame), ours["rows"])
        rows.check(f"after {verb[0]}: schema", schema_of(frame) == json.loads(ours["schema"]), schema_of(frame))
    rows.finish()


if __name__ == "__main__":
    main()
