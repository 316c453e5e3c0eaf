#!/usr/bin/env python3
"""A real Apache Kafka, KRaft, one node, of the group's jars.

usage: apache_kafka.py JARS FOLDER     prints host:port when it answers; ends with its stdin
"""
import os
import socket
import subprocess
import sys
import time

HEAP = "1g"  # what Kafka's own start script gives the broker


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def prepare(jars, folder):
    """The command of a new broker, and its port."""
    port, controller = free_port(), free_port()
    properties = os.path.join(folder, "server.properties")
    with open(properties, "w", encoding="utf-8") as file:
        file.write("\n".join([
            "process.roles=broker,controller", "node.id=1", "controller.quorum.voters=1@127.0.0.1:%d" % controller,
            "listeners=PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d" % (port, controller),
            "advertised.listeners=PLAINTEXT://127.0.0.1:%d" % port, "controller.listener.names=CONTROLLER",
            "log.dirs=%s/kafka" % folder, "offsets.topic.replication.factor=1", "num.partitions=1",
            "transaction.state.log.replication.factor=1", "transaction.state.log.min.isr=1",
            "group.initial.rebalance.delay.ms=0"]))
    java = ["java", "-cp", jars + "/*"]
    subprocess.run([*java, "kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", properties],
                   check=True, capture_output=True)
    # The options of Kafka's start script.
    flags = ["-Xms" + HEAP, "-Xmx" + HEAP, "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
             "-XX:InitiatingHeapOccupancyPercent=35"]
    return ["java", *flags, "-cp", jars + "/*", "kafka.Kafka", properties], port


def main():
    command, port = prepare(sys.argv[1], sys.argv[2])
    with open(os.path.join(sys.argv[2], "kafka.log"), "w", encoding="utf-8") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    sys.exit("Kafka does not start; see %s" % log.name)
                time.sleep(0.05)
        print("127.0.0.1:%d" % port, flush=True)
        sys.stdin.read()
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
