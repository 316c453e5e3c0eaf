#!/usr/bin/env python3
"""Tables that Spark wrote, or changed after us: we read every version that it reads, with equal rows.

usage: spark_writes.py LAKE_SAMPLE FOLDER
"""
import glob
import pathlib
import sys

from delta.tables import DeltaTable

import rows
import session

def create_constrained(spark, location):
    """SQL alone cannot create a table at a path with a generated column."""
    DeltaTable.create(spark).location(location).addColumn("n", "INT", nullable=False).addColumn(
        "twice", "INT", generatedAlwaysAs="n * 2").execute()


FEATURES = {
    # Partition values with everything that paths and URIs trip over.
    "partitioned": ["""CREATE TABLE {t} (n BIGINT, day DATE, at TIMESTAMP, tag STRING, k INT) USING delta
                       PARTITIONED BY (day, at, tag, k)""",
                    """INSERT INTO {t} VALUES
                       (1, date'2024-01-02', timestamp'2024-01-02 03:04:05.123456', 'a b', 1),
                       (2, NULL, NULL, NULL, NULL),
                       (3, date'1999-12-31', timestamp'1970-01-01 00:00:00', 'x/y=z%2F:\\\\{{}}"''#?', -7),
                       (4, date'2024-01-02', timestamp'2024-01-02 03:04:05.123456', 'ü😀', 1)""",
                    "DELETE FROM {t} WHERE n = 2", "INSERT INTO {t} VALUES (5, NULL, NULL, '', 0)"],
    "deletion_vectors": ["""CREATE TABLE {t} USING delta TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')
                            AS SELECT id AS n, concat('x', id) AS s FROM range(0, 100000, 1, 2)""",
                         "DELETE FROM {t} WHERE n = 17", "DELETE FROM {t} WHERE n % 3 = 0 AND n < 60000",
                         "UPDATE {t} SET s = 'changed' WHERE n BETWEEN 50000 AND 50010",
                         "INSERT INTO {t} VALUES (-1, 'late')", "DELETE FROM {t} WHERE n >= 99990",
                         "DELETE FROM {t} WHERE n < 40000"],
    "partitioned_deletion_vectors": [
        """CREATE TABLE {t} USING delta PARTITIONED BY (p) TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')
           AS SELECT id AS n, id % 3 AS p FROM range(0, 1000, 1, 2)""", "DELETE FROM {t} WHERE n % 10 = 1"],
    "mapped_by_name": ["""CREATE TABLE {t} (n BIGINT, old STRING, gone INT,
                          nest STRUCT<a: INT, b: STRUCT<c: STRING>>, list ARRAY<STRUCT<q: INT>>,
                          map MAP<STRING, STRUCT<v: INT>>) USING delta
                          TBLPROPERTIES ('delta.columnMapping.mode' = 'name')""",
                       """INSERT INTO {t} VALUES (1, 'a', 9, struct(1, struct('c')), array(struct(1), NULL),
                          map('k', struct(5))), (2, NULL, 8, NULL, NULL, NULL)""",
                       "ALTER TABLE {t} RENAME COLUMN old TO `new name, with {{odd}} signs`",
                       "ALTER TABLE {t} DROP COLUMN gone", "ALTER TABLE {t} RENAME COLUMN nest.b.c TO z",
                       "ALTER TABLE {t} ADD COLUMN gone STRING",
                       """INSERT INTO {t} VALUES (3, 'b', struct(3, struct('zz')), array(struct(7)),
                          map('x', NULL), 'back')"""],
    "mapped_by_id": ["""CREATE TABLE {t} (n BIGINT, s STRING, nest STRUCT<a: INT>) USING delta
                        PARTITIONED BY (s) TBLPROPERTIES ('delta.columnMapping.mode' = 'id')""",
                     "INSERT INTO {t} VALUES (1, 'a', struct(1)), (2, NULL, NULL)",
                     "ALTER TABLE {t} RENAME COLUMN n TO m", "INSERT INTO {t} VALUES (3, 'a', struct(4))"],
    "mapped_later": ["CREATE TABLE {t} USING delta AS SELECT id AS n, concat('x', id) AS s FROM range(5)",
                     """ALTER TABLE {t} SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name',
                        'delta.minReaderVersion' = '2', 'delta.minWriterVersion' = '5')""",
                     "ALTER TABLE {t} RENAME COLUMN s TO text", "INSERT INTO {t} VALUES (9, 'nine')"],
    "evolved": ["CREATE TABLE {t} USING delta AS SELECT id AS n, struct(id AS a) AS nest FROM range(3)",
                "ALTER TABLE {t} ADD COLUMNS (extra STRING AFTER n, nest.b DOUBLE)",
                "INSERT INTO {t} VALUES (7, 'seven', struct(8, 0.5))"],
    "widened": ["""CREATE TABLE {t} (b TINYINT, i INT, f FLOAT, d DECIMAL(5, 2)) USING delta
                   TBLPROPERTIES ('delta.enableTypeWidening' = 'true')""",
                "INSERT INTO {t} VALUES (1, 2, 3.5, 4.25)", "ALTER TABLE {t} ALTER COLUMN b TYPE INT",
                "ALTER TABLE {t} ALTER COLUMN i TYPE BIGINT", "ALTER TABLE {t} ALTER COLUMN f TYPE DOUBLE",
                "ALTER TABLE {t} ALTER COLUMN d TYPE DECIMAL(12, 4)",
                "INSERT INTO {t} VALUES (100000, 5000000000, 0.1, 12345678.1234)"],
    "without_zone": ["CREATE TABLE {t} (n INT, t TIMESTAMP_NTZ) USING delta",
                     "INSERT INTO {t} VALUES (1, timestamp_ntz'2024-03-31 01:30:00.5'), (2, NULL)"],
    "changes_kept": ["""CREATE TABLE {t} USING delta TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')
                        AS SELECT id AS n FROM range(10)""", "UPDATE {t} SET n = -n WHERE n > 6"],
    # Features that only writers have to understand.
    "times_in_commits": ["""CREATE TABLE {t} USING delta TBLPROPERTIES ('delta.enableInCommitTimestamps' = 'true')
                            AS SELECT id AS n FROM range(10)""", "INSERT INTO {t} VALUES (10), (11)"],
    "clustered": ["CREATE TABLE {t} (n BIGINT, s STRING) USING delta CLUSTER BY (n)",
                  "INSERT INTO {t} SELECT id, concat('x', id) FROM range(20)", "OPTIMIZE {t}"],
    "rows_tracked": ["""CREATE TABLE {t} USING delta TBLPROPERTIES ('delta.enableRowTracking' = 'true')
                        AS SELECT id AS n FROM range(10)""", "DELETE FROM {t} WHERE n = 3",
                     "INSERT INTO {t} VALUES (10)"],
    "constrained": [create_constrained,
                    "ALTER TABLE {t} ADD CONSTRAINT positive CHECK (n > 0)", "INSERT INTO {t} (n) VALUES (4), (5)"],
    "merged": ["CREATE TABLE {t} USING delta AS SELECT id AS n, 'old' AS s FROM range(20)",
               """MERGE INTO {t} AS a USING (SELECT id * 2 AS n, 'new' AS s FROM range(15)) AS b ON a.n = b.n
                  WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *""", "OPTIMIZE {t}"],
}


class Judge:
    def __init__(self, program, folder):
        self.program = program
        self.folder = folder
        self.spark = session.start(spark__databricks__delta__retentionDurationCheck__enabled="false",
                                   spark__sql__parquet__outputTimestampType="INT96")

    def table(self, name):
        return f"delta.`{self.folder}/lake/{name}`"

    def sql(self, name, text):
        return self.spark.sql(text.format(t=self.table(name)))

    def check(self, name, version=None):
        suffix = [] if version is None else [version]
        try:
            ours = rows.sample(self.program, "read", self.folder, name, *suffix)[0]
        except RuntimeError as error:
            rows.check(name, False, error)
            return
        reader = self.spark.read.format("delta")
        if version is not None:
            reader = reader.option("versionAsOf", version)
        frame = reader.load(f"{self.folder}/lake/{name}")
        rows.check_rows(f"{name}" + (f" at version {version}" if suffix else ""), ours["rows"], session.rows_of(frame))
        if version is None:
            newest = self.sql(name, "DESCRIBE HISTORY {t} LIMIT 1").collect()[0]["version"]
            rows.check(f"{name}: version {newest}", ours["version"] == newest, ours["version"])

    def check_features(self):
        for name, statements in FEATURES.items():
            for statement in statements:
                if callable(statement):
                    statement(self.spark, f"{self.folder}/lake/{name}")
                else:
                    self.sql(name, statement)
            for version in range(len(statements) - 1):
                self.check(name, version)
            self.check(name)

    def files(self, name, pattern):
        return glob.glob(f"{self.folder}/lake/{name}/_delta_log/{pattern}")

    def check_checkpoints(self):
        """Multi-part, and V2 of both spellings with sidecars: read from them alone."""
        plain = "CREATE TABLE {t} (n BIGINT, s STRING) USING delta TBLPROPERTIES ('delta.checkpointInterval' = '10')"
        v2 = plain[:-1] + ", 'delta.checkpointPolicy' = 'v2')"
        cases = {"multi_part": (plain, "*.checkpoint.*.*.parquet", {"checkpoint.partSize": 4}),
                 "v2_parquet": (v2, "*.checkpoint.*-*.parquet", {"v2.topLevelFileFormat": "parquet"}),
                 "v2_json": (v2, "*.checkpoint.*-*.json", {"v2.topLevelFileFormat": "json"}),
                 "v2_sidecars": (v2, "_sidecars/*", {"checkpoint.partSize": 4})}
        for name, (create, pattern, settings) in cases.items():
            keys = {("spark.databricks.delta.checkpointV2.topLevelFileFormat" if k.startswith("v2") else
                     f"spark.databricks.delta.{k}"): v for k, v in settings.items()}
            for key, value in keys.items():
                self.spark.conf.set(key, value)
            self.sql(name, create)
            for i in range(11):
                self.sql(name, f"INSERT INTO {{t}} VALUES ({i}, 'row {i}')")
            self.sql(name, "DELETE FROM {t} WHERE n = 10")
            for key in keys:
                self.spark.conf.unset(key)
            found = self.files(name, pattern)
            rows.check(f"{name}: Spark wrote {pattern}", found, self.files(name, "*"))
            want = session.rows_of(self.spark.read.format("delta").load(f"{self.folder}/lake/{name}"))
            for commit in self.files(name, "*.json"):
                stem = pathlib.Path(commit).name.removesuffix(".json")
                if stem.isdigit() and int(stem) <= 10:
                    pathlib.Path(commit).unlink()
            ours = rows.sample(self.program, "read", self.folder, name)[0]
            rows.check_rows(f"{name}: without the commits before it", ours["rows"], want)

    def check_refused(self):
        """What we cannot read is refused by its name, never read wrong."""
        self.sql("variant", "CREATE TABLE {t} (n INT, v VARIANT) USING delta")
        try:
            rows.sample(self.program, "read", self.folder, "variant")
            rows.check("a variant is refused", False, "it was read")
        except RuntimeError as error:
            rows.check("a variant is refused by name", "variant" in str(error), error)

    def check_after_us(self):
        """Spark appends to, overwrites, deletes from and optimizes our tables, with our own writes in between."""
        rows.sample(self.program, "write", self.folder)
        for name in ("stream", "clean"):
            self.sql(name, "INSERT INTO {t} VALUES (-1, 'from Spark')")
            self.check(name)
            self.sql(name, "DELETE FROM {t} WHERE n % 7 = 3")
            self.check(name)
            rows.sample(self.program, "race", self.folder, name, f"between/{name}", 3)
            self.check(name)
            self.sql(name, "UPDATE {t} SET text = 'updated' WHERE n < 20")
            self.sql(name, "OPTIMIZE {t}")
            self.check(name)
            rows.sample(self.program, "optimize", self.folder, name)
            rows.sample(self.program, "checkpoint", self.folder, name)
            self.sql(name, "INSERT OVERWRITE {t} VALUES (1, 'all that is left')")
            self.check(name)
            self.sql(name, "RESTORE TABLE {t} TO VERSION AS OF 1")
            self.sql(name, "VACUUM {t} RETAIN 1000 HOURS")
            self.check(name)
            # Checkpoints of Spark's on a table of ours.
            for i in range(11):
                self.sql(name, f"INSERT INTO {{t}} VALUES ({i}, 'more')")
            self.check(name)
        self.sql("every_type", "INSERT INTO {t} SELECT * FROM {t} WHERE id < 9")
        self.check("every_type")
        self.sql("every_type", "OPTIMIZE {t} ZORDER BY (id)")
        self.check("every_type")


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True)
    judge = Judge(program, folder)
    judge.check_features()
    judge.check_checkpoints()
    judge.check_refused()
    judge.check_after_us()
    rows.finish()


if __name__ == "__main__":
    main()
