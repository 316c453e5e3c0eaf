"""Spark's side of bench_batch: the same objects and SQL files, local[2]; a first time in a new session, and a second
unless told to be content with one.

usage: batch_spark.py DIRECTORY PROJECT [1]
"""
import glob
import os
import shutil
import sys
import time

started = time.monotonic()
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "clients", "spark"))
from pyspark.sql import SparkSession  # noqa: E402  (its import belongs to the cold time)
from pyspark.sql import types  # noqa: E402

import yaml_lite  # noqa: E402

USER_ID = "0e90e0175553"
TYPES = {"integer": types.IntegerType(), "double": types.DoubleType(), "text": types.StringType()}


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def once(spark, directory, project, work):
    shutil.rmtree(work, ignore_errors=True)
    for database in ("raw", "clean"):
        spark.sql(f"DROP DATABASE IF EXISTS {database} CASCADE")
        spark.sql(f"CREATE DATABASE {database}")
    spark.sql(text_of(os.path.join(project, "sql/tables/age_groups.sql"))).createOrReplaceTempView("age_groups")
    for path in sorted(glob.glob(os.path.join(project, "datasets", "*.yaml"))):
        dataset = yaml_lite.dataset(path)
        objects = os.path.join(directory, "buckets", f"user-{USER_ID}-bucket", "topics", f"{USER_ID}.{dataset.name}", "partition=0")
        columns = ", ".join(f"`{name}` {TYPES[kind].simpleString()}" for name, kind in dataset.columns)
        spark.sql(f"CREATE TABLE raw.{dataset.name} ({columns}) USING json LOCATION '{objects}'")
        clean = spark.sql(text_of(os.path.join(project, f"sql/clean/{dataset.name}.sql")))
        at = os.path.join(work, dataset.name)
        clean.write.parquet(at)
        spark.sql(f"CREATE TABLE clean.{dataset.name} USING parquet LOCATION '{at}'")
    return [len(spark.sql(text_of(path)).collect()) for path in sorted(glob.glob(os.path.join(project, "sql/queries/*.sql")))]


def main():
    directory, project = (os.path.abspath(path) for path in sys.argv[1:3])
    work = os.path.join(directory, f"spark-{os.getpid()}")
    spark = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.driver.memory", "6g")
             .config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "4")
             .config("spark.sql.warehouse.dir", os.path.join(work, "warehouse"))
             .config("spark.sql.catalogImplementation", "in-memory").getOrCreate())
    spark.sparkContext.setLogLevel("ERROR")
    rows = once(spark, directory, project, work)
    print(f"spark cold {time.monotonic() - started:.3f} s; rows answered {rows}", flush=True)
    if sys.argv[3:] != ["1"]:
        again = time.monotonic()
        once(spark, directory, project, work)
        print(f"spark warm {time.monotonic() - again:.3f} s")
    spark.stop()
    shutil.rmtree(work, ignore_errors=True)


main()
