"""The drivers without SQLAlchemy: prepared statements and their types, and pandas.

usage: drivers.py PORT
"""
import datetime
import sys

import MySQLdb
import mysql.connector
import pandas
import pymysql
import sqlalchemy

PORT = int(sys.argv[1])
LOGIN = {"host": "127.0.0.1", "port": PORT, "user": "pinpipe", "password": "pinpipe", "database": "pinterest_data"}
GEO = (7528, datetime.datetime(2020, 8, 28, 3, 52, 47), -89.9787, -173.293, "Albania")


def pymysql_reads():
    with pymysql.connect(**LOGIN, cursorclass=pymysql.cursors.DictCursor) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT * FROM geolocation_data WHERE ind = %s", (7528,))
        assert tuple(cursor.fetchone().values()) == GEO
        cursor.execute("SHOW FULL TABLES FROM `pinterest_data`")
        assert len(cursor.fetchall()) == 3
        connection.ping()
        connection.rollback()


def streaming():
    with pymysql.connect(**LOGIN, cursorclass=pymysql.cursors.SSCursor) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT a.`index`, a.description FROM pinterest_data a CROSS JOIN (SELECT 1 UNION SELECT 2) b")
        assert sum(1 for _ in cursor) == 2 * 11154


def mysqlclient_reads():
    connection = MySQLdb.connect(host="127.0.0.1", port=PORT, user="pinpipe", passwd="pinpipe", db="pinterest_data",
                                 charset="utf8mb4")
    cursor = connection.cursor()
    cursor.execute("SELECT * FROM geolocation_data LIMIT 7528, 1")
    assert cursor.fetchone() == GEO
    connection.close()


def connector_reads():
    for pure in (True, False):
        try:
            connection = mysql.connector.connect(**LOGIN, use_pure=pure)
        except ImportError:
            continue  # its C part is not in this build
        cursor = connection.cursor(prepared=True)
        for _ in range(2):
            cursor.execute("SELECT * FROM geolocation_data WHERE ind = %s AND country = %s", (7528, "Albania"))
            [row] = cursor.fetchall()
            assert row[0] == 7528 and row[1] == GEO[1] and round(row[2], 4) == -89.9787 and row[4] == "Albania", row
        cursor.close()
        cursor = connection.cursor()
        cursor.execute("SELECT category, COUNT(*) FROM pinterest_data GROUP BY category ORDER BY 1")
        assert [row[0] for row in cursor.fetchall()][:3] == ["art", "beauty", "christmas"]
        connection.reset_session()
        connection.close()


def pandas_reads():
    engine = sqlalchemy.create_engine(f"mysql+pymysql://pinpipe:pinpipe@127.0.0.1:{PORT}/pinterest_data")
    frame = pandas.read_sql_table("geolocation_data", engine)
    assert len(frame) == 11154 and str(frame.timestamp.dtype).startswith("datetime64"), frame.dtypes
    assert frame.latitude.dtype == float


for reads in (pymysql_reads, streaming, mysqlclient_reads, connector_reads, pandas_reads):
    reads()
    print("ok", reads.__name__)
