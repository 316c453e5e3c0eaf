"""Puts KEYS small objects where a slow server keeps them, without its API, so that bench/s3/peer need not wait for it.

usage: prefill s3rver DIRECTORY KEYS                 writes the files that s3rver would have written
       prefill moto KEYS ARGUMENT…                   becomes moto's server with these arguments, its bucket filled
"""
import hashlib
import os
import sys

BODY = b"x" * 10


def names(count):
    return (f"list/{i // 10_000:03}/{i % 10_000:08}" for i in range(count))


def fill_s3rver(directory, count):
    digest = hashlib.md5(BODY).hexdigest()
    for name in names(count):
        path = os.path.join(directory, "bench", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        for ending, content in (("object", BODY), ("metadata.json", b"{}"),
                                ("object.md5", digest.encode())):
            with open(f"{path}._S3rver_{ending}", "wb") as file:
                file.write(content)


def serve_moto(count, arguments):
    from moto.s3.models import s3_backends
    from moto.server import main
    backend = s3_backends["123456789012"]["aws"]
    backend.create_bucket("bench", "us-east-1")
    for name in names(count):
        backend.put_object("bench", name, BODY)
    main(arguments)


if sys.argv[1] == "s3rver":
    fill_s3rver(sys.argv[2], int(sys.argv[3]))
else:
    serve_moto(int(sys.argv[2]), sys.argv[3:])
