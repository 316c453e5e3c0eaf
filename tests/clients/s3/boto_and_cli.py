#!/usr/bin/env python3
"""Runs boto3 and the AWS command line against a running S3 door and checks what they see.

    boto_and_cli.py http://127.0.0.1:4566

Prints one line per check and exits 1 when one fails. Everything happens in buckets of its own, which
are removed at the end.
"""
import hashlib
import io
import os
import subprocess
import sys
import tempfile
import urllib.request
import uuid
from pathlib import Path

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError

ENDPOINT = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:4566"
BUCKET = "clients-" + uuid.uuid4().hex[:12]
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
failures = 0


def check(name, condition, detail=""):
    global failures
    print(("ok    " if condition else "FAIL  ") + name + (f"  ({detail})" if detail and not condition else ""))
    failures += not condition


def error_of(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    return None


def client(**config):
    return boto3.client("s3", endpoint_url=ENDPOINT, config=Config(**config), **KEYS)


def boto_objects(s3):
    body = "grüße 🦆\n".encode()
    put = s3.put_object(Bucket=BUCKET, Key="a b/ü+%.txt", Body=body, ContentType="text/plain",
                        Metadata={"author": "ada"})
    check("boto3 put: ETag is the MD5", put["ETag"] == '"' + hashlib.md5(body).hexdigest() + '"')
    if tuple(map(int, boto3.__version__.split(".")[:2])) >= (1, 36):  # since then checksums are sent unasked
        check("boto3 put: checksum is echoed", "ChecksumCRC32" in put or "ChecksumCRC64NVME" in put)
    got = s3.get_object(Bucket=BUCKET, Key="a b/ü+%.txt")
    check("boto3 get: bytes", got["Body"].read() == body)
    check("boto3 get: metadata and type", got["Metadata"] == {"author": "ada"} and got["ContentType"] == "text/plain")
    part = s3.get_object(Bucket=BUCKET, Key="a b/ü+%.txt", Range="bytes=0-3")
    check("boto3 get: range", part["Body"].read() == body[:4] and part["ResponseMetadata"]["HTTPStatusCode"] == 206)
    check("boto3 head: absent", error_of(s3.head_object, Bucket=BUCKET, Key="absent") == ("404", 404))
    check("boto3 get: absent", error_of(s3.get_object, Bucket=BUCKET, Key="absent") == ("NoSuchKey", 404))
    check("boto3 get: no bucket", error_of(s3.get_object, Bucket=BUCKET + "x", Key="k") == ("NoSuchBucket", 404))
    try:
        check("boto3 put-if-absent", error_of(s3.put_object, Bucket=BUCKET, Key="a b/ü+%.txt", Body=b"", IfNoneMatch="*")
              == ("PreconditionFailed", 412))
    except ParamValidationError:
        print("skip  boto3 put-if-absent: this boto3 does not know it")
    check("boto3 range beyond the end", error_of(s3.get_object, Bucket=BUCKET, Key="a b/ü+%.txt", Range="bytes=99-")
          == ("InvalidRange", 416))
    s3.put_object(Bucket=BUCKET, Key="empty", Body=b"")
    check("boto3 empty object", s3.get_object(Bucket=BUCKET, Key="empty")["Body"].read() == b"")
    for algorithm in ["CRC32", "CRC32C", "SHA1", "SHA256"]:
        try:
            s3.put_object(Bucket=BUCKET, Key="sum", Body=body, ChecksumAlgorithm=algorithm)
            got = s3.get_object(Bucket=BUCKET, Key="sum", ChecksumMode="ENABLED")
            check(f"boto3 checksum {algorithm}", got["Body"].read() == body and "Checksum" + algorithm in got)
        except Exception as error:  # botocore without the crt cannot compute CRC32C
            print(f"skip  boto3 checksum {algorithm}: {error}")
    for key in ["x/one", "x/two", "x-y", "x/deep/er", "..", "x//odd", "dir/"]:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"1")
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix="x", Delimiter="/")
    check("boto3 list with delimiter", [o["Key"] for o in listed["Contents"]] == ["x-y"]
          and [p["Prefix"] for p in listed["CommonPrefixes"]] == ["x/"])
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, PaginationConfig={"PageSize": 2})
    keys = [o["Key"] for page in pages for o in page.get("Contents", [])]
    check("boto3 pages are sorted and whole", keys == sorted(keys, key=str.encode) and len(keys) >= 10, str(keys))
    first = s3.list_objects(Bucket=BUCKET, MaxKeys=3)
    check("boto3 list v1", len(first["Contents"]) == 3 and first["IsTruncated"])
    versions = s3.list_object_versions(Bucket=BUCKET)["Versions"]
    check("boto3 versions", len(versions) == len(keys) and versions[0]["VersionId"] == "null")
    s3.copy_object(Bucket=BUCKET, Key="copied", CopySource={"Bucket": BUCKET, "Key": "a b/ü+%.txt"})
    check("boto3 copy", s3.head_object(Bucket=BUCKET, Key="copied")["Metadata"] == {"author": "ada"})
    done = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": k} for k in keys + ["copied"]]})
    check("boto3 delete many", len(done["Deleted"]) == len(keys) + 1 and "Errors" not in done)
    check("boto3 bucket is empty", "Contents" not in s3.list_objects_v2(Bucket=BUCKET))


def boto_multipart(s3):
    data = os.urandom(13 << 20)
    s3.upload_fileobj(io.BytesIO(data), BUCKET, "large.bin",
                      Config=TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20))
    head = s3.head_object(Bucket=BUCKET, Key="large.bin")
    check("boto3 multipart upload", head["ContentLength"] == len(data) and head["ETag"].endswith('-3"'))
    back = io.BytesIO()
    s3.download_fileobj(BUCKET, "large.bin", back)
    check("boto3 multipart download", back.getvalue() == data)
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="aborted")["UploadId"]
    s3.upload_part(Bucket=BUCKET, Key="aborted", UploadId=upload, PartNumber=1, Body=b"x")
    check("boto3 list parts", len(s3.list_parts(Bucket=BUCKET, Key="aborted", UploadId=upload)["Parts"]) == 1)
    s3.abort_multipart_upload(Bucket=BUCKET, Key="aborted", UploadId=upload)
    check("boto3 aborted upload", error_of(s3.list_parts, Bucket=BUCKET, Key="aborted", UploadId=upload)
          == ("NoSuchUpload", 404))
    s3.delete_object(Bucket=BUCKET, Key="large.bin")


def boto_links():
    s3 = client()
    s3.put_object(Bucket=BUCKET, Key="link", Body=b"linked")
    for name, signer in [("default", client()), ("s3v4", client(signature_version="s3v4"))]:
        url = signer.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "link"})
        with urllib.request.urlopen(url) as answer:
            check(f"presigned link, {name}", answer.read() == b"linked")
    s3.delete_object(Bucket=BUCKET, Key="link")


def aws(*arguments):
    environment = dict(os.environ, AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test",
                       AWS_DEFAULT_REGION="us-east-1")
    program = Path(sys.executable).parent / "aws"
    done = subprocess.run([str(program), "--endpoint-url", ENDPOINT, *arguments], env=environment,
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def command_line():
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        (root / "up").mkdir()
        (root / "up" / "small.json").write_text('{"a":1}\n')
        (root / "up" / "large.bin").write_bytes(os.urandom(20 << 20))
        code, out = aws("s3", "ls")
        check("aws s3 ls", code == 0 and BUCKET in out, out)
        code, out = aws("s3", "cp", str(root / "up" / "small.json"), f"s3://{BUCKET}/d/small.json")
        check("aws s3 cp up", code == 0, out)
        code, out = aws("s3", "ls", f"s3://{BUCKET}/d/")
        check("aws s3 ls bucket", code == 0 and "small.json" in out, out)
        code, out = aws("s3", "cp", f"s3://{BUCKET}/d/small.json", "-")
        check("aws s3 cp down", code == 0 and out == '{"a":1}\n', out)
        code, out = aws("s3", "sync", str(root / "up"), f"s3://{BUCKET}/synced")
        check("aws s3 sync up", code == 0, out)
        code, out = aws("s3", "sync", f"s3://{BUCKET}/synced", str(root / "down"))
        same = all((root / "down" / f.name).read_bytes() == f.read_bytes() for f in (root / "up").iterdir()) if code == 0 else False
        check("aws s3 sync down", same, out)
        code, out = aws("s3", "sync", str(root / "up"), f"s3://{BUCKET}/synced")
        check("aws s3 sync again does nothing", code == 0 and out.strip() == "", out)
        code, out = aws("s3", "mv", f"s3://{BUCKET}/d/small.json", f"s3://{BUCKET}/e/moved.json")
        check("aws s3 mv", code == 0, out)
        code, out = aws("s3", "rb", "--force", f"s3://{BUCKET}")
        check("aws s3 rb --force", code == 0, out)


def main():
    s3 = client()
    s3.create_bucket(Bucket=BUCKET)
    s3.head_bucket(Bucket=BUCKET)
    check("boto3 location", s3.get_bucket_location(Bucket=BUCKET)["LocationConstraint"] is None)
    boto_objects(s3)
    boto_multipart(s3)
    boto_links()
    command_line()
    check("the bucket is gone", error_of(client().head_bucket, Bucket=BUCKET) == ("404", 404))
    print(f"boto3 {boto3.__version__}: {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
