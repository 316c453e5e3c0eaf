"""pyarrow's own S3 file system and delta-rs on s3:// against a running S3 door: tables, concurrent commits."""
import concurrent.futures
import sys

import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake

endpoint = sys.argv[1]
host = endpoint.removeprefix("http://")
fs = pyarrow.fs.S3FileSystem(access_key="test", secret_key="test", endpoint_override=host, scheme="http",
                             region="us-east-1", allow_bucket_creation=True, allow_bucket_deletion=True)
fs.create_dir("tables")
table = pa.table({"n": list(range(100_000)), "text": [f"row {n}" for n in range(100_000)]})
pq.write_table(table, "tables/plain/part.parquet", filesystem=fs)
assert pq.read_table("tables/plain", filesystem=fs).equals(table)
with fs.open_output_stream("tables/big.bin") as out:  # in parts
    for _ in range(12):
        out.write(b"b" * (1 << 20))
assert fs.get_file_info("tables/big.bin").size == 12 << 20

options = {"AWS_ENDPOINT_URL": endpoint, "AWS_ALLOW_HTTP": "true", "AWS_ACCESS_KEY_ID": "test",
           "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1", "AWS_CONDITIONAL_PUT": "etag"}
uri = "s3://tables/delta/pins"
write_deltalake(uri, pa.table({"ind": [0]}), storage_options=options)
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    list(pool.map(lambda n: write_deltalake(uri, pa.table({"ind": [n]}), mode="append", storage_options=options),
                  range(1, 9)))
delta = DeltaTable(uri, storage_options=options)
assert sorted(delta.to_pyarrow_table()["ind"].to_pylist()) == list(range(9)), delta.to_pyarrow_table()
assert delta.version() == 8, "each commit is a version of its own"
fs.delete_dir("tables")
