"""A pytest plugin: each of moto's tests begins without streams, which moto's own server does by /moto-api/reset."""
import os

import boto3
import pytest


@pytest.fixture(autouse=True)
def without_streams():
    client = boto3.client("kinesis", endpoint_url=os.environ["TEST_SERVER_MODE_ENDPOINT"], region_name="us-east-1",
                          aws_access_key_id="test", aws_secret_access_key="test")
    for page in client.get_paginator("list_streams").paginate():
        for name in page["StreamNames"]:
            client.delete_stream(StreamName=name, EnforceConsumerDeletion=True)
    yield
