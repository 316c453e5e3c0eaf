"""A Spark session with Delta, small and quiet."""
import glob
import os

from pyspark.sql import SparkSession


def start(**more):
    builder = (SparkSession.builder.master("local[2]")
               .config("spark.jars", ",".join(sorted(glob.glob(os.environ["JARS"] + "/*.jar"))))
               .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
               .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
               .config("spark.ui.enabled", "false")
               .config("spark.ui.showConsoleProgress", "false")
               .config("spark.driver.memory", "2g")
               .config("spark.sql.shuffle.partitions", "2")
               .config("spark.databricks.delta.snapshotPartitions", "2")
               .config("spark.sql.session.timeZone", "UTC"))
    for key, value in more.items():
        builder = builder.config(key.replace("__", "."), value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def rows_of(frame):
    return [row.asDict(recursive=True) for row in frame.collect()]
