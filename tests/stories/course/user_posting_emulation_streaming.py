"""The course's streaming script in its classic shape: rows by offset, one record a request, Data as an object.

Only its end differs: it stops after as many turns as it is told to.
"""
import json
import os
import random
import sys
from time import sleep

import requests
import sqlalchemy
import yaml
from sqlalchemy import text

random.seed(100)
invoke_url = os.environ["INVOKE_URL"]
user_id = "0e90e0175553"

with open("db_creds.yaml", encoding="utf-8") as file:
    creds = yaml.safe_load(file)


def create_db_connector():
    return sqlalchemy.create_engine(
        f"mysql+pymysql://{creds['USER']}:{creds['PASSWORD']}@{creds['HOST']}:{creds['PORT']}/{creds['DATABASE']}?charset=utf8mb4")


def send(name, row):
    payload = json.dumps({"StreamName": f"streaming-{user_id}-{name}", "Data": row, "PartitionKey": "partition-1"}, default=str)
    headers = {"Content-Type": "application/json"}
    response = requests.request("PUT", f"{invoke_url}/streams/streaming-{user_id}-{name}/record", headers=headers,
                                data=payload, timeout=30)
    print(name, response.status_code, response.json()["ShardId"])
    assert response.status_code == 200, response.text


for _ in range(int(sys.argv[1])):
    sleep(random.randrange(0, 2))
    random_row = random.randint(0, 11000)
    with create_db_connector().connect() as connection:
        for table, name in (("pinterest_data", "pin"), ("geolocation_data", "geo"), ("user_data", "user")):
            for row in connection.execute(text(f"SELECT * FROM {table} LIMIT {random_row}, 1")):
                send(name, dict(row._mapping))
