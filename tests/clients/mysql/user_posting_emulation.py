"""The course's posting script in its classic shape: a new engine in every turn, rows by offset, one record a request.

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


class AWSDBConnector:
    def __init__(self):
        with open("db_creds.yaml", encoding="utf-8") as file:
            creds = yaml.safe_load(file)
        self.HOST = creds["HOST"]
        self.USER = creds["USER"]
        self.PASSWORD = creds["PASSWORD"]
        self.DATABASE = creds["DATABASE"]
        self.PORT = creds["PORT"]

    def create_db_connector(self):
        return sqlalchemy.create_engine(
            f"mysql+pymysql://{self.USER}:{self.PASSWORD}@{self.HOST}:{self.PORT}/{self.DATABASE}?charset=utf8mb4")


new_connector = AWSDBConnector()


def send(topic, row):
    payload = json.dumps({"records": [{"value": row}]}, default=str)
    headers = {"Content-Type": "application/vnd.kafka.json.v2+json"}
    response = requests.request("POST", f"{invoke_url}/topics/{topic}", headers=headers, data=payload, timeout=30)
    print(topic, response.status_code)
    assert response.status_code == 200, response.text


def run_infinite_post_data_loop(turns):
    for _ in range(turns):
        sleep(random.randrange(0, 2))
        random_row = random.randint(0, 11000)
        engine = new_connector.create_db_connector()

        with engine.connect() as connection:
            pin_string = text(f"SELECT * FROM pinterest_data LIMIT {random_row}, 1")
            pin_selected_row = connection.execute(pin_string)
            for row in pin_selected_row:
                pin_result = dict(row._mapping)

            geo_string = text(f"SELECT * FROM geolocation_data LIMIT {random_row}, 1")
            geo_selected_row = connection.execute(geo_string)
            for row in geo_selected_row:
                geo_result = dict(row._mapping)

            user_string = text(f"SELECT * FROM user_data LIMIT {random_row}, 1")
            user_selected_row = connection.execute(user_string)
            for row in user_selected_row:
                user_result = dict(row._mapping)

            send("0e90e0175553.pin", pin_result)
            send("0e90e0175553.geo", geo_result)
            send("0e90e0175553.user", user_result)


if __name__ == "__main__":
    run_infinite_post_data_loop(int(sys.argv[1]))
