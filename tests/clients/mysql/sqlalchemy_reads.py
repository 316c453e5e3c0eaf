"""What the scripts and notebooks ask of the source database, with SQLAlchemy 1.4 or 2.x and any driver.

usage: sqlalchemy_reads.py URL
"""
import datetime
import sys

import sqlalchemy
from sqlalchemy import inspect, text

URL = sys.argv[1]
DIRTY_GEO = {"ind": 7528, "timestamp": datetime.datetime(2020, 8, 28, 3, 52, 47), "latitude": -89.9787,
             "longitude": -173.293, "country": "Albania"}


def row_at(engine, table, offset):
    with engine.connect() as connection:
        [row] = connection.execute(text(f"SELECT * FROM {table} LIMIT {offset}, 1"))
        return dict(row._mapping)


def main():
    engine = sqlalchemy.create_engine(URL)
    assert row_at(engine, "geolocation_data", 7528) == DIRTY_GEO
    pin = row_at(engine, "pinterest_data", 7528)
    assert pin["index"] == 7528 and pin["downloaded"] == 0 and pin["title"] == "No Title Data Available", pin
    assert list(pin) == ["index", "unique_id", "title", "description", "poster_name", "follower_count", "tag_list",
                         "is_image_or_video", "image_src", "downloaded", "save_location", "category"]
    user = row_at(engine, "user_data", 5730)
    assert isinstance(user["date_joined"], datetime.datetime) and isinstance(user["age"], int), user

    with engine.connect() as connection:
        assert connection.execute(text("SELECT COUNT(*) AS count FROM pinterest_data")).scalar() == 11154
        every = connection.execute(text("SELECT * FROM user_data")).fetchall()
        assert [row[0] for row in every] == list(range(11154)), "rows come in the order of their index"
        by_name = connection.execute(text("SELECT country FROM geolocation_data WHERE ind = :n"), {"n": 7528}).scalar()
        assert by_name == "Albania"
        wide = connection.execute(text("SELECT title FROM pinterest_data WHERE title LIKE :t"), {"t": "%’%"}).fetchall()
        assert wide and all("’" in row[0] for row in wide)

    about = inspect(engine)
    assert about.get_table_names() == ["geolocation_data", "pinterest_data", "user_data"]
    assert about.get_schema_names() == ["information_schema", "pinterest_data"]
    assert about.has_table("user_data") and not about.has_table("nowhere")
    types = {column["name"]: str(column["type"]) for column in about.get_columns("geolocation_data")}
    assert types == {"ind": "INTEGER", "timestamp": "DATETIME", "latitude": "FLOAT", "longitude": "FLOAT",
                     "country": "TEXT"}, types
    assert about.get_pk_constraint("pinterest_data")["constrained_columns"] == ["index"]
    assert about.get_foreign_keys("pinterest_data") == [] and about.get_indexes("pinterest_data") == []
    assert about.get_view_names() == []

    metadata = sqlalchemy.MetaData()
    users = sqlalchemy.Table("user_data", metadata, autoload_with=engine)
    with engine.connect() as connection:
        oldest = connection.execute(sqlalchemy.select(sqlalchemy.func.max(users.c.age))).scalar()
        assert oldest == 60, oldest
        try:
            connection.execute(text("UPDATE user_data SET age = 1"))
            raise AssertionError("a write went through")
        except sqlalchemy.exc.DBAPIError as error:
            assert "1290" in str(error.orig), error
    engine.dispose()
    print(sqlalchemy.__version__, URL.split(":")[0])


main()
