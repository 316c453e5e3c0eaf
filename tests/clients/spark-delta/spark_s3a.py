#!/usr/bin/env python3
"""Spark reads the lake through the S3 door with s3a.

usage: spark_s3a.py LAKE_URI FACTS     (the AWS_… variables name the door)
"""
import json
import os
import pathlib
import sys

import rows
import session


def main():
    lake = sys.argv[1].replace("s3://", "s3a://")
    facts = [json.loads(part) for part in pathlib.Path(sys.argv[2]).read_text().split("\n\n")[:-1]]
    prefix = "spark__hadoop__fs__s3a__"
    spark = session.start(**{prefix + "endpoint": os.environ["AWS_ENDPOINT_URL"],
                             prefix + "endpoint__region": os.environ["AWS_REGION"],
                             prefix + "access__key": os.environ["AWS_ACCESS_KEY_ID"],
                             prefix + "secret__key": os.environ["AWS_SECRET_ACCESS_KEY"],
                             prefix + "path__style__access": "true",
                             prefix + "connection__ssl__enabled": "false"})
    for about in facts:
        frame = spark.read.format("delta").load(f"{lake}/{about['table']}")
        rows.check_rows(f"{about['table']} by s3a", session.rows_of(frame), about["rows"])
    rows.finish()


if __name__ == "__main__":
    main()
