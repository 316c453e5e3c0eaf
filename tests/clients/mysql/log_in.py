"""usage: log_in.py pymysql|mysqldb|mysqlconnector PORT USER PASSWORD"""
import sys

driver, port, user, password = sys.argv[1:]
login = {"host": "127.0.0.1", "port": int(port), "user": user, "password": password, "database": "pinterest_data"}
if driver == "pymysql":
    import pymysql
    connection = pymysql.connect(**login)
elif driver == "mysqldb":
    import MySQLdb
    connection = MySQLdb.connect(**login)
else:
    import mysql.connector
    connection = mysql.connector.connect(**login)
cursor = connection.cursor()
cursor.execute("SELECT CURRENT_USER()")
assert cursor.fetchone()[0] == f"{user}@localhost"
