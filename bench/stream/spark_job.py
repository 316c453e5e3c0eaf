"""Spark's side of bench/stream/peer: the streams through Kafka's protocol, the project's clean SQL, Delta tables.

usage: spark_job.py BOOTSTRAP PROJECT TABLES        commands come on stdin, one a line, each is answered by a line:
  available     reads what is there and ends        follow     reads as fast as it can until `stop`
"""
import glob
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "clients", "spark"))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "clients", "spark-delta"))
import session  # noqa: E402
import yaml_lite  # noqa: E402
from pyspark.sql import functions  # noqa: E402

USER_ID = "0e90e0175553"
TYPES = {"integer": "int", "double": "double", "text": "string"}


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def clean_streams(spark, bootstrap, project):
    frames = {}
    for path in sorted(glob.glob(os.path.join(project, "datasets", "*.yaml"))):
        dataset = yaml_lite.dataset(path)
        columns = ", ".join(f"`{name}` {TYPES[kind]}" for name, kind in dataset.columns)
        records = (spark.readStream.format("kafka").option("kafka.bootstrap.servers", bootstrap)
                   .option("subscribe", f"streaming-{USER_ID}-{dataset.name}").option("startingOffsets", "earliest").load())
        rows = records.select(functions.from_json(records.value.cast("string"), columns).alias("row")).select("row.*")
        rows.createOrReplaceTempView(f"raw_{dataset.name}")
        sql = text_of(os.path.join(project, f"sql/clean/{dataset.name}.sql"))
        frames[dataset.name] = spark.sql(re.sub(r"\braw\.(\w+)", r"raw_\1", sql))
    return frames


def start(frames, tables, trigger):
    return [frame.writeStream.format("delta").outputMode("append").trigger(**trigger)
            .option("checkpointLocation", os.path.join(tables, "checkpoints", name)).start(os.path.join(tables, name))
            for name, frame in frames.items()]


def main():
    bootstrap, project, tables = sys.argv[1:4]
    spark = session.start()
    frames = clean_streams(spark, bootstrap, project)
    print("ready", flush=True)
    queries = []
    for line in sys.stdin:
        if line.strip() == "available":
            for query in start(frames, tables, {"availableNow": True}):
                query.awaitTermination()
        elif line.strip() == "follow":
            queries = start(frames, tables, {"processingTime": "0 seconds"})
        else:
            for query in queries:
                query.stop()
        print("done", flush=True)


main()
