"""As the scripts do it: a fresh connection in every turn, one row read. Prints them a second.

mysqlclient, because PyMySQL reads all of the machine's certificates for each connection: 30 ms of its own.

usage: connections.py PORT LEAST
"""
import concurrent.futures
import sys
import time

import MySQLdb

PORT, LEAST = int(sys.argv[1]), float(sys.argv[2])
THREADS, EACH = 4, 250


def turns(_):
    for turn in range(EACH):
        connection = MySQLdb.connect(host="127.0.0.1", port=PORT, user="pinpipe", password="pinpipe",
                                     database="pinterest_data", charset="utf8mb4")
        cursor = connection.cursor()
        cursor.execute(f"SELECT * FROM user_data LIMIT {turn}, 1")
        assert cursor.fetchone()[0] == turn
        del cursor, connection


began = time.perf_counter()
with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
    list(pool.map(turns, range(THREADS)))
rate = THREADS * EACH / (time.perf_counter() - began)
print(f"{rate:.0f} new connections a second, one row read on each")
sys.exit(0 if rate >= LEAST else 1)
