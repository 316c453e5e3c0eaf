"""Runs the batch job once the connector has brought every posted row into the bucket."""
import argparse
import json
import subprocess
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("--pinpipe", required=True)
parser.add_argument("--data", required=True)
parser.add_argument("--rows", type=int, required=True)
options = parser.parse_args()

deadline = time.monotonic() + 120
while True:
    done = subprocess.run([options.pinpipe, "--data", options.data, "run", "-o", "json"], capture_output=True, check=True)
    read = {row["dataset"]: row["records"] for row in json.loads(done.stdout)}
    if all(records == options.rows for records in read.values()):
        break
    if time.monotonic() > deadline:
        sys.exit(f"the bucket holds {read} records, not {options.rows} of each")
    time.sleep(1)
