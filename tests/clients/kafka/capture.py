#!/usr/bin/env python3
"""Listens in between a Kafka client and a broker, and keeps the first request of each API and version as
text. What it writes lies in tests/golden/kafka, one file per client.

usage: capture.py KAFKA_SERVER OUT "client and version" -- COMMAND…    %B in COMMAND becomes host:port
"""
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading

NAMES = {0: "Produce", 1: "Fetch", 2: "ListOffsets", 3: "Metadata", 8: "OffsetCommit", 9: "OffsetFetch",
         10: "FindCoordinator", 11: "JoinGroup", 12: "Heartbeat", 13: "LeaveGroup", 14: "SyncGroup",
         15: "DescribeGroups", 16: "ListGroups", 18: "ApiVersions", 19: "CreateTopics", 20: "DeleteTopics",
         21: "DeleteRecords", 22: "InitProducerId", 23: "OffsetForLeaderEpoch", 32: "DescribeConfigs",
         33: "AlterConfigs", 35: "DescribeLogDirs", 37: "CreatePartitions", 42: "DeleteGroups",
         43: "ElectLeaders", 44: "IncrementalAlterConfigs", 45: "AlterPartitionReassignments",
         46: "ListPartitionReassignments", 47: "OffsetDelete", 60: "DescribeCluster",
         75: "DescribeTopicPartitions"}
kept = {}


def exactly(connection, count):
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise ConnectionError
        data += part
    return data


def pump(source, sink, listen):
    try:
        while True:
            head = exactly(source, 4)
            frame = exactly(source, struct.unpack(">i", head)[0])
            if listen:
                # A fetch that asks for nothing or a produce without records says little: the longest counts.
                key = struct.unpack_from(">hh", frame)
                if len(frame) > len(kept.get(key, b"")) and len(frame) < 2000:
                    kept[key] = frame
            sink.sendall(head + frame)
    except OSError:
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def main():
    server, out, client = sys.argv[1:4]
    command = sys.argv[5:]
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    with tempfile.TemporaryDirectory() as data:
        broker = subprocess.Popen([server, data, str(port)], stdout=subprocess.PIPE)
        target = int(broker.stdout.readline())

        def accept():
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", target))
                threading.Thread(target=pump, args=(near, far, True), daemon=True).start()
                threading.Thread(target=pump, args=(far, near, False), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        environment = dict(os.environ, BOOTSTRAP="127.0.0.1:%d" % port)
        done = subprocess.run([part.replace("%B", "127.0.0.1:%d" % port) for part in command], env=environment)
        broker.terminate()
        broker.wait()
    with open(out, "w") as file:
        file.write("# Requests of %s, as captured by tests/clients/kafka/capture.py: API, version, bytes.\n" % client)
        for (key, version), frame in sorted(kept.items()):
            file.write("%s %d\n" % (NAMES.get(key, key), version))
            for at in range(0, len(frame), 32):
                file.write("  %s\n" % frame[at:at + 32].hex(" ", -4))
    print("%s: %d requests kept, the client ended with %d" % (out, len(kept), done.returncode))


main()
