"""The same SQL files on Spark and on pinpipe, over the same objects; tells every table that differs.

Spark reads the bucket's objects with the columns that the data sets declare, cleans them with sql/clean/*.sql, and answers
sql/queries/*.sql and those of sql/variants/*.sql that are questions. pinpipe answers over its own clean tables.
"""
import argparse
import collections
import glob
import json
import math
import os
import re
import subprocess
import sys
import tempfile

import yaml_lite
from pyspark.sql import SparkSession
from pyspark.sql import types

USER_ID = "0e90e0175553"
TYPES = {"integer": types.IntegerType(), "bigint": types.LongType(), "double": types.DoubleType(),
         "text": types.StringType(), "boolean": types.BooleanType(), "timestamp": types.TimestampType()}
# Sibling files that make a table, not a question.
TABLES = ("pin", "geo", "user", "age_groups")


def spark_session(folder):
    return (SparkSession.builder.master("local[2]").appName("pinpipe").config("spark.ui.enabled", "false")
            .config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "4")
            .config("spark.sql.warehouse.dir", os.path.join(folder, "warehouse"))
            .config("spark.sql.catalogImplementation", "in-memory").config("spark.driver.memory", "2g")
            .config("spark.log.level", "ERROR").getOrCreate())


def clean_tables(spark, project, data):
    spark.sql("CREATE DATABASE raw")
    spark.sql("CREATE DATABASE clean")
    spark.sql(text_of(project, "sql/tables/age_groups.sql")).createOrReplaceTempView("age_groups")
    names = []
    for path in sorted(glob.glob(os.path.join(project, "datasets", "*.yaml"))):
        dataset = yaml_lite.dataset(path)
        schema = types.StructType([types.StructField(name, TYPES[kind]) for name, kind in dataset.columns])
        objects = os.path.join(data, "buckets", f"user-{USER_ID}-bucket", "topics", f"{USER_ID}.{dataset.name}")
        files = [os.path.join(at, name) for at, _, all_names in os.walk(objects) for name in all_names if name.endswith(".json")]
        spark.read.schema(schema).json(files).write.saveAsTable(f"raw.{dataset.name}")
        spark.sql(text_of(project, f"sql/clean/{dataset.name}.sql")).write.saveAsTable(f"clean.{dataset.name}")
        names.append(dataset.name)
    return names


def text_of(project, path):
    with open(os.path.join(project, path), encoding="utf-8") as file:
        return file.read()


def plain(value):
    """A cell as both engines can be held against each other."""
    if isinstance(value, float):
        return None if math.isnan(value) else float(f"{value:.12g}")
    if isinstance(value, (list, tuple)):
        return tuple(plain(one) for one in value)
    if hasattr(value, "isoformat"):
        return value.isoformat(sep=" ")
    if isinstance(value, str) and re.fullmatch(r"\[.*\]", value):
        try:
            return plain(json.loads(value.replace("NULL", "null")))
        except ValueError:
            return value
    return value


def from_spark(spark, sql):
    frame = spark.sql(sql)
    return frame.columns, [tuple(plain(cell) for cell in row) for row in frame.collect()]


def from_pinpipe(options, sql):
    done = subprocess.run([options.pinpipe, "--data", options.data, "sql", sql, "--rows", "10000000", "-o", "ndjson"],
                          capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(f"pinpipe sql: {done.stderr.decode()}\n{sql}")
    rows = [json.loads(line) for line in done.stdout.decode().splitlines()]
    return list(rows[0]) if rows else None, [tuple(plain(cell) for cell in row.values()) for row in rows]


def differences(name, spark, pinpipe, ordered):
    (columns, rows), (own_columns, own_rows) = spark, pinpipe
    if own_columns is not None and columns != own_columns:
        return f"{name}: Spark's columns are {columns}, pinpipe's {own_columns}"
    if ordered and rows != own_rows:
        for i, (theirs, ours) in enumerate(zip(rows, own_rows)):
            if theirs != ours:
                return f"{name}, row {i + 1}: Spark {theirs}, pinpipe {ours}"
        return f"{name}: Spark {len(rows)} rows, pinpipe {len(own_rows)}"
    theirs, ours = collections.Counter(rows), collections.Counter(own_rows)
    if theirs != ours:
        return (f"{name}: {sum(theirs.values())} and {sum(ours.values())} rows; only Spark's, for example "
                f"{list((theirs - ours).items())[:2]}; only pinpipe's {list((ours - theirs).items())[:2]}")
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pinpipe", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--project", required=True)
    options = parser.parse_args()
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        spark = spark_session(folder)
        for name in clean_tables(spark, options.project, options.data):
            sql = f"select * from clean.{name}"
            problems.append(differences(f"clean.{name}", from_spark(spark, sql), from_pinpipe(options, sql), False))
        compared = 0
        for path in sorted(glob.glob(os.path.join(options.project, "sql", "queries", "*.sql"))
                           + glob.glob(os.path.join(options.project, "sql", "variants", "*.sql"))):
            name = os.path.splitext(os.path.basename(path))[0]
            if name.startswith(TABLES):
                continue
            sql = text_of("", path)
            answer = from_spark(spark, sql)
            compared += 1
            print(f"{name}: {len(answer[1])} rows")
            problems.append(differences(name, answer, from_pinpipe(options, sql), True))
        spark.stop()
    problems = [problem for problem in problems if problem]
    print("\n".join(problems) or f"3 clean tables and {compared} questions are the same")
    sys.exit(1 if problems or compared < 9 else 0)


if __name__ == "__main__":
    main()
