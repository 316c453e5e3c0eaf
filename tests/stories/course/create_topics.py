"""Creates topics as the course's EC2 client does: with Kafka's own kafka-topics where KAFKA_JARS has its jars, and with
another Kafka client's admin calls where it has not.

usage: create_topics.py BOOTSTRAP_SERVERS TOPIC…
"""
import os
import subprocess
import sys

servers, topics = sys.argv[1], sys.argv[2:]
jars = os.environ.get("KAFKA_JARS")
if jars:
    for topic in topics:
        subprocess.run(["java", "-cp", f"{jars}/*", "kafka.admin.TopicCommand", "--bootstrap-server", servers,
                        "--create", "--topic", topic], check=True)
else:
    from kafka.admin import KafkaAdminClient, NewTopic
    admin = KafkaAdminClient(bootstrap_servers=servers)
    admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1) for topic in topics])
    for topic in topics:
        print(f"Created topic {topic}.")
    admin.close()
