"""s3fs (fsspec) against a running S3 door."""
import sys

import s3fs

fs = s3fs.S3FileSystem(key="test", secret="test", endpoint_url=sys.argv[1])
fs.mkdir("fsspec")
with fs.open("fsspec/a/b.txt", "wb") as out:
    out.write(b"one\ntwo\n")
with fs.open("fsspec/a/large.bin", "wb", block_size=5 << 20) as out:
    out.write(b"l" * (11 << 20))
assert fs.cat("fsspec/a/b.txt") == b"one\ntwo\n"
assert sorted(fs.find("fsspec")) == ["fsspec/a/b.txt", "fsspec/a/large.bin"]
with fs.open("fsspec/a/large.bin", "rb") as file:
    file.seek(10 << 20)
    assert file.read(5) == b"lllll"
fs.copy("fsspec/a/b.txt", "fsspec/c.txt")
fs.rm("fsspec", recursive=True)
assert not fs.exists("fsspec")
