#!/usr/bin/env python3
"""Asks a broker and a real Apache Kafka the same questions, in every version that both speak, and compares the answers
value by value; what differs by nature (ids, ports, times, wording) is masked, and what we answer otherwise on purpose is
in DIFFERENCES with its reason. Every answer must match its schema to the last byte.

usage: same_answers.py OURS KAFKA [RECORD]     host:port each; ends with 0 when all is well
RECORD becomes what tests/golden/kafka/answers.hex is: the questions that were the same bytes for both, and the answers
that were.
"""
import struct
import sys
import time
import uuid

from kafka_wire import batch
from schemas import Message, Talk

MASKED = {"Port", "Host", "Rack", "ClusterId", "TopicId", "ThrottleTimeMs", "LogAppendTimeMs", "ProducerId",
          "MemberId", "Leader", "NodeId", "ControllerId", "LeaderId", "ClusterAuthorizedOperations", "TopicAuthorizedOperations",
          "AuthorizedOperations", "LogDir", "TotalBytes", "UsableBytes", "PartitionSize", "NodeEndpoints", "SessionId"}
WORDING = {"ErrorMessage", "BatchIndexErrorMessage"}  # we say why more often than Kafka does
SETS = {"Partitions": "PartitionIndex", "Topics": "Name", "Responses": "Name", "Groups": "GroupId"}  # in no order; by what

# API, words of the path, and why.
DIFFERENCES = [
    ("CreateTopics", "validated.Topics[0].Configs", "each lists the settings it has"),
]


def masked(value, name=""):
    if name in MASKED:
        return None if value is None else "masked"
    if isinstance(value, dict):
        return {key: masked(one, key) for key, one in value.items() if key not in WORDING}
    if isinstance(value, list):
        if name in SETS and all(isinstance(one, dict) and SETS[name] in one for one in value):
            value = sorted(value, key=lambda one: (one[SETS[name]] is None, one[SETS[name]]))
        return [masked(one, name) for one in value]
    return value


def differences(ours, theirs, path=""):
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted({*ours, *theirs}):
            if key not in ours or key not in theirs:
                yield "%s.%s" % (path, key), ours.get(key, "absent"), theirs.get(key, "absent")
            else:
                yield from differences(ours[key], theirs[key], "%s.%s" % (path, key))
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for i, (one, other) in enumerate(zip(ours, theirs)):
            yield from differences(one, other, "%s[%d]" % (path, i))
    elif ours != theirs:
        yield path, ours, theirs


class Both:
    def __init__(self, addresses):
        self.talks = [Talk(address) for address in addresses]
        ranges = [{one["ApiKey"]: range(one["MinVersion"], one["MaxVersion"] + 1) for one in
                   talk.ask("ApiVersions", 3, {"ClientSoftwareName": "tests", "ClientSoftwareVersion": "1"})["ApiKeys"]}
                  for talk in self.talks]
        self.ours, self.theirs = ranges
        self.ids = [{}, {}]
        self.asked, self.failures, self.tape = 0, [], []
        self.is_taping = True  # not where members are waited for, whose names nobody knows before

    def versions(self, api, low=0, high=99):
        """Those that both speak. Kafka tells of Produce 0 and takes 3 at least."""
        key = Message(api + "Request").key
        low = max(low, 3) if api == "Produce" else low
        return [v for v in self.ours.get(key, []) if v in self.theirs.get(key, []) and low <= v <= high]

    def ask(self, api, version, values, note=""):
        """`values` may be a function of what each broker's topic ids are."""
        self.asked += 1
        answers = []
        for talk, ids in zip(self.talks, self.ids):
            answers.append(talk.ask(api, version, values(ids) if callable(values) else values))
        self.record(api, version, note)
        for answer in answers:
            if api == "ListGroups" and isinstance(answer, dict):  # others may have been here before
                answer["Groups"] = [group for group in answer["Groups"] if group["GroupId"].startswith(("joined-", "simple"))]
        if isinstance(answers[0], str) and answers[0].startswith("malformed"):
            self.failures.append("%s %d %s: %s" % (api, version, note, answers[0]))
        for path, ours, theirs in differences(masked(answers[0]), masked(answers[1])):
            if not any(api == known and word in note + path for known, word, _ in DIFFERENCES):
                self.failures.append("%s %d %s%s: ours %r, Kafka's %r" % (api, version, note, path, ours, theirs))
        return answers

    def tell(self, api, version, values):
        """A question whose answers are not compared."""
        for talk in self.talks:
            talk.ask(api, version, values)
        self.record(api, version, "")

    def record(self, api, version, note):
        ours, theirs = self.talks
        if self.is_taping and ours.asked == theirs.asked:
            same = ours.answered if ours.answered and ours.answered == theirs.answered else None
            if note == "stamped":  # in the same millisecond, by chance
                same = None
            entry = ("%s %d %s" % (api, version, note), ours.asked, same)
            changes = api == "Produce" or api.startswith(("Create", "Delete", "Alter", "Incremental", "Offset"))
            if (same or changes) and (api == "Produce" or entry not in self.tape):
                self.tape.append(entry)

    def write_tape(self, path):
        with open(path, "w", encoding="utf-8") as file:
            file.write("# Questions (>) and Apache Kafka's answers (<, where ours is the same to the byte), in order, by\n"
                       "# tests/clients/kafka/same_answers.py. An answer without < depends on the broker's ids or times.\n")
            for title, asked, answered in self.tape:
                file.write(title.rstrip() + "\n")
                for mark, data in ((">", asked), ("<", answered)):
                    text = "" if data is None else data.hex()
                    for at in range(0, len(text), 100):
                        file.write("  %s %s\n" % (mark, text[at:at + 100]))

    def remember_ids(self, names):
        for talk, ids in zip(self.talks, self.ids):
            for _ in range(100):  # Kafka's brokers learn of a new topic after its creation was answered
                answer = talk.ask("Metadata", 12, {"Topics": [{"Name": name} for name in names], "AllowAutoTopicCreation": False})
                if all(topic["ErrorCode"] == 0 for topic in answer["Topics"]):
                    break
                time.sleep(0.1)
            ids.update({topic["Name"]: topic["TopicId"] for topic in answer["Topics"]})

    def warm_up(self):
        """Kafka makes its coordinators when the first client asks."""
        for talk in self.talks:
            for _ in range(300):
                talk.ask("FindCoordinator", 2, {"Key": "warm"})
                joined = talk.ask("OffsetFetch", 7, {"GroupId": "warm", "Topics": None})
                made = talk.ask("InitProducerId", 2, {"TransactionalId": None, "TransactionTimeoutMs": 1000})
                if joined["ErrorCode"] == made["ErrorCode"] == 0:
                    break
                time.sleep(0.1)


def topics(both):
    for v in both.versions("CreateTopics"):
        name = "created-%d" % v
        good = {"Name": name, "NumPartitions": 2, "ReplicationFactor": 1, "Configs": [{"Name": "retention.ms", "Value": "3600000"}]}

        def ask(note, topic, **more):
            one = {"timeoutMs": 10_000, "Topics": [{**good, **topic}], **more}
            answers = both.ask("CreateTopics", v, one, note)
            return answers

        if v >= 1:
            ask("validated", {"Name": "validated", "Configs": []}, validateOnly=True)
        both.tell("CreateTopics", v, {"timeoutMs": 10_000, "Topics": [good]})  # its settings are another list
        ask("again", {})
        ask("bad name", {"Name": "no/name"})
        ask("empty name", {"Name": ""})
        ask("bad setting", {"Name": "bad", "Configs": [{"Name": "retention.ms", "Value": "never"}]})
        ask("unknown setting", {"Name": "bad", "Configs": [{"Name": "retention.sm", "Value": "1"}]})
        ask("no partitions", {"Name": "bad", "NumPartitions": 0})
        ask("three replicas", {"Name": "bad", "ReplicationFactor": 3})
    for v in both.versions("CreatePartitions"):
        for note, count in (("grow", 3 + v), ("shrink", 1), ("same", 3 + v)):
            both.ask("CreatePartitions", v, {"TimeoutMs": 10_000, "ValidateOnly": False,
                                             "Topics": [{"Name": "created-4", "Count": count, "Assignments": None}]}, note)
        both.ask("CreatePartitions", v, {"TimeoutMs": 10_000, "Topics": [{"Name": "nowhere", "Count": 2, "Assignments": None}]}, "nowhere")
    for v in both.versions("Metadata"):
        named = {"Topics": [{"Name": "created-4"}], **({"AllowAutoTopicCreation": False} if v >= 4 else {})}
        both.ask("Metadata", v, named, "one")
        if v >= 4:
            both.ask("Metadata", v, {"Topics": [{"Name": "nowhere"}], "AllowAutoTopicCreation": False}, "nowhere")
            both.ask("Metadata", v, {"Topics": [{"Name": "no/name"}], "AllowAutoTopicCreation": False}, "bad name")
        if v >= 1:
            both.ask("Metadata", v, {"Topics": []}, "none")
        if v >= 12:
            both.ask("Metadata", v, {"Topics": [{"TopicId": uuid.UUID(int=77), "Name": None}]}, "unknown id")
    for v in both.versions("DescribeTopicPartitions"):
        both.ask("DescribeTopicPartitions", v, {"Topics": [{"Name": "created-5"}], "ResponsePartitionLimit": 100}, "one")
        both.ask("DescribeTopicPartitions", v, {"Topics": [{"Name": "nowhere"}]}, "nowhere")
        both.ask("DescribeTopicPartitions", v, {"Topics": [{"Name": "created-5"}], "ResponsePartitionLimit": 1}, "cursor")
    for v in both.versions("DeleteTopics"):
        name = "created-%d" % v
        both.remember_ids([name] if v in both.versions("CreateTopics") else [])
        listed = {"TopicNames": [name, "nowhere"]} if v < 6 else {"Topics": [{"Name": name}, {"Name": "nowhere"}]}
        both.ask("DeleteTopics", v, {**listed, "TimeoutMs": 10_000})
        if v >= 6:
            both.ask("DeleteTopics", v, {"Topics": [{"Name": None, "TopicId": uuid.UUID(int=77)}], "TimeoutMs": 10_000}, "unknown id")


def records(both):
    for name, configs in (("data", []), ("keyed", [{"Name": "cleanup.policy", "Value": "compact"}]),
                          ("small", [{"Name": "max.message.bytes", "Value": "200"}]),
                          ("stamped", [{"Name": "message.timestamp.type", "Value": "LogAppendTime"}])):
        both.tell("CreateTopics", 4, {"timeoutMs": 10_000, "Topics": [
            {"Name": name, "NumPartitions": 2, "ReplicationFactor": 1, "Configs": configs}]})
    both.remember_ids(["data", "keyed", "small", "stamped"])
    good = batch([(b"k", b"v1"), (None, b"v2")])
    torn = good[:-1]
    flipped = good[:-1] + bytes([good[-1] ^ 1])
    lying = bytearray(batch([(b"k", b"v")]))
    lying[57:61] = struct.pack(">i", 5)
    old_magic = good[:16] + b"\1" + good[17:]
    for v in both.versions("Produce"):
        def ask(note, topic, stored, partition=0, acks=-1):
            def values(ids):
                where = {"TopicId": ids.get(topic, uuid.UUID(int=77))} if v >= 13 else {"Name": topic}
                return {"Acks": acks, "TimeoutMs": 10_000, "TopicData": [
                    {**where, "PartitionData": [{"Index": partition, "Records": stored}]}]}
            both.ask("Produce", v, values, note)
        ask("good", "data", good)
        ask("leader's acknowledgement", "data", good, acks=1)
        ask("wrong acknowledgement", "data", good, acks=2)
        ask("nowhere", "nowhere-%d" % v, good)
        ask("no partition", "data", good, partition=9)
        ask("bad CRC", "data", flipped)
        ask("cut short", "data", torn)
        ask("lying count", "data", bytes(lying))
        ask("old magic", "data", old_magic)
        ask("two batches", "data", good + good)
        ask("no batch", "data", b"")
        ask("no key", "keyed", batch([(None, b"v")]))
        ask("some without key", "keyed", batch([(b"k", b"v"), (None, b"v"), (b"k", b"v"), (None, b"v")]))
        ask("with key", "keyed", batch([(b"k", b"v")]))
        ask("too large", "small", batch([(b"k", b"v" * 300)]))
        ask("stamped", "stamped", good)
        ask("sequence ahead", "data", batch([(b"k", b"v")], producer_id=500 + v, epoch=0, sequence=0))
        ask("sequence gap", "data", batch([(b"k", b"v")], producer_id=500 + v, epoch=0, sequence=5))
        ask("duplicate", "data", batch([(b"k", b"v")], producer_id=500 + v, epoch=0, sequence=0))
        ask("epoch begins", "data", batch([(b"k", b"v")], producer_id=500 + v, epoch=1, sequence=0))
        ask("epoch behind", "data", batch([(b"k", b"v")], producer_id=500 + v, epoch=0, sequence=1))
    for v in both.versions("Fetch"):
        def ask(note, topic, offset, partition=0, part_bytes=300, epoch=-1):
            def values(ids):
                where = {"TopicId": ids.get(topic, uuid.UUID(int=77))} if v >= 13 else {"Topic": topic}
                part = {"Partition": partition, "FetchOffset": offset, "PartitionMaxBytes": part_bytes}
                if v >= 9:
                    part["CurrentLeaderEpoch"] = epoch
                return {"MaxWaitMs": 10, "MinBytes": 1, "MaxBytes": 1 << 20, "Topics": [{**where, "Partitions": [part]}],
                        **({"SessionEpoch": -1} if v >= 7 else {})}
            both.ask("Fetch", v, values, note)
        ask("beginning", "data", 0)
        ask("mid batch", "data", 1)
        ask("beyond", "data", 10_000)
        ask("before", "data", -5)
        ask("empty", "data", 0, partition=1)
        ask("no partition", "data", 0, partition=9)
        ask("nowhere", "nowhere", 0)
        ask("few bytes", "data", 0, part_bytes=1)
        ask("epoch ahead", "data", 0, epoch=5)
        ask("stamped", "stamped", 100_000)
    for v in both.versions("ListOffsets", low=1):
        def ask(note, topic, time, partition=0, epoch=-1):
            part = {"PartitionIndex": partition, "Timestamp": time, **({"CurrentLeaderEpoch": epoch} if v >= 4 else {})}
            both.ask("ListOffsets", v, {"ReplicaId": -1, "Topics": [{"Name": topic, "Partitions": [part]}]}, note)
        ask("latest", "data", -1)
        ask("earliest", "data", -2)
        ask("time", "data", 1_600_000_000_000)
        ask("later", "data", 1_800_000_000_000)
        ask("empty", "data", -1, partition=1)
        ask("nowhere", "nowhere", -1)
        ask("no partition", "data", -1, partition=9)
        ask("epoch ahead", "data", -1, epoch=5)
        if v >= 7:
            ask("largest time", "data", -3)
            ask("largest time of none", "data", -3, partition=1)
        if v >= 8:
            ask("earliest local", "data", -4)
    for v in both.versions("OffsetForLeaderEpoch"):
        for note, topic, partition, epoch in (("here", "data", 0, 0), ("ahead", "data", 0, 7), ("nowhere", "nowhere", 0, 0)):
            both.ask("OffsetForLeaderEpoch", v, {**({"ReplicaId": -1} if v >= 3 else {}), "Topics": [{"Topic": topic, "Partitions": [
                {"Partition": partition, "LeaderEpoch": epoch}]}]}, note)
    for v in both.versions("DeleteRecords"):
        for note, topic, partition, offset in (("some", "data", 0, 2 + v), ("beyond", "data", 0, 10_000), ("nowhere", "nowhere", 0, 1),
                                               ("no partition", "data", 9, 1), ("compacted", "keyed", 0, 1), ("negative", "data", 0, -2)):
            both.ask("DeleteRecords", v, {"TimeoutMs": 10_000, "Topics": [{"Name": topic, "Partitions": [
                {"PartitionIndex": partition, "Offset": offset}]}]}, note)
    for v in both.versions("InitProducerId"):
        both.ask("InitProducerId", v, {"TransactionalId": None, "TransactionTimeoutMs": 60_000}, "new")
    for v in both.versions("DescribeLogDirs"):
        both.ask("DescribeLogDirs", v, {"Topics": [{"Topic": "data", "Partitions": [0]}]}, "one")


def groups(both):
    for v in both.versions("FindCoordinator"):
        both.ask("FindCoordinator", v, {"CoordinatorKeys": ["group"]} if v >= 4 else {"Key": "group"}, "group")
    both.is_taping = False
    subscription = struct.pack(">hih4sii", 0, 1, 4, b"data", 0, 0)[:-4]
    assignment = struct.pack(">hih4siii", 0, 1, 4, b"data", 1, 0, 0)
    for v in both.versions("JoinGroup"):
        group = "joined-%d" % v
        join = {"GroupId": group, "SessionTimeoutMs": 10_000, "ProtocolType": "consumer", "MemberId": "",
                "Protocols": [{"Name": "range", "Metadata": subscription}], **({"RebalanceTimeoutMs": 10_000} if v >= 1 else {})}
        both.ask("JoinGroup", v, {**join, "MemberId": "unknown"}, "unknown member")
        both.ask("JoinGroup", v, {**join, "SessionTimeoutMs": 1}, "short session")
        both.ask("JoinGroup", v, {**join, "GroupId": ""}, "no group")
        both.ask("JoinGroup", v, {**join, "Protocols": []}, "no protocol")
        joined = both.ask("JoinGroup", v, join, "joins")
        if joined[0].get("ErrorCode") == 79:
            members = [answer["MemberId"] for answer in joined]
            joined = [talk.ask("JoinGroup", v, {**join, "MemberId": member}) for talk, member in zip(both.talks, members)]
        members = [answer["MemberId"] for answer in joined]
        member_of = dict(zip(map(id, both.ids), members))
        generation = joined[0]["GenerationId"]

        def ask(api, version, values, note):
            return both.ask(api, version, lambda ids: values(member_of[id(ids)]), note)

        sync = min(v, both.versions("SyncGroup")[-1])
        for note, wrong in (("generation", {"GenerationId": 77}), ("unknown", {"MemberId": "unknown"}),
                            ("right", {}), ("again", {})):
            ask("SyncGroup", sync, lambda member, wrong=wrong: {"GroupId": group, "GenerationId": generation, "MemberId": member,
                "Assignments": [{"MemberId": member, "Assignment": assignment}],
                **({"ProtocolType": "consumer", "ProtocolName": "range"} if sync >= 5 else {}), **wrong}, note)
        for beat in both.versions("Heartbeat"):
            for note, wrong in (("alive", {}), ("generation", {"GenerationId": 77}), ("unknown", {"MemberId": "unknown"}),
                                ("nowhere", {"GroupId": "nowhere"})):
                ask("Heartbeat", beat, lambda member, wrong=wrong: {"GroupId": group, "GenerationId": generation, "MemberId": member, **wrong}, note)
        for commit in both.versions("OffsetCommit", low=2, high=9):
            place = {"PartitionIndex": 0, "CommittedOffset": commit, "CommittedMetadata": "note"}
            for note, wrong, where in (("right", {}, {}), ("generation", {"GenerationIdOrMemberEpoch": 77}, {}),
                                       ("unknown", {"MemberId": "unknown"}, {}), ("no member", {"MemberId": "", "GenerationIdOrMemberEpoch": -1}, {}),
                                       ("no partition", {}, {"PartitionIndex": 9}), ("negative", {}, {"PartitionIndex": 1, "CommittedOffset": -2}), ("long", {}, {"CommittedMetadata": "m" * 5000})):
                ask("OffsetCommit", commit, lambda member, wrong=wrong, where=where: {
                    "GroupId": group, "GenerationIdOrMemberEpoch": generation, "MemberId": member,
                    "Topics": [{"Name": "data", "Partitions": [{**place, **where}]}], **wrong}, note)
        for describe in both.versions("DescribeGroups"):
            both.ask("DescribeGroups", describe, {"Groups": [group, "nowhere"]}, "with a member")
        for fetch in both.versions("OffsetFetch", low=1, high=9):
            some = [{"Name": "data", "PartitionIndexes": [0, 1]}]
            for note, asked in (("some", some), ("all", None)):
                if asked is None and fetch < 2:
                    continue
                both.ask("OffsetFetch", fetch, {"Groups": [{"GroupId": group, "Topics": asked}]} if fetch >= 8
                         else {"GroupId": group, "Topics": asked}, note)
                both.ask("OffsetFetch", fetch, {"Groups": [{"GroupId": "nowhere", "Topics": asked}]} if fetch >= 8
                         else {"GroupId": "nowhere", "Topics": asked}, "nowhere " + note)
        for delete in both.versions("DeleteGroups"):
            both.ask("DeleteGroups", delete, {"GroupsNames": [group, "nowhere"]}, "with a member")
        for delete in both.versions("OffsetDelete"):
            both.ask("OffsetDelete", delete, {"GroupId": group, "Topics": [{"Name": "data", "Partitions": [{"PartitionIndex": 0}]}]}, "subscribed")
            both.ask("OffsetDelete", delete, {"GroupId": "nowhere", "Topics": [{"Name": "data", "Partitions": [{"PartitionIndex": 0}]}]}, "nowhere")
        leave = min(v, both.versions("LeaveGroup")[-1])
        for note, member_id in (("unknown", "unknown"), ("leaves", None), ("again", None)):
            ask("LeaveGroup", leave, lambda member, one=member_id: {"GroupId": group, "MemberId": one or member} if leave < 3
                else {"GroupId": group, "Members": [{"MemberId": one or member}]}, note)
    for v in both.versions("DescribeGroups"):
        both.ask("DescribeGroups", v, {"Groups": ["joined-2"]}, "empty")
    for v in both.versions("ListGroups"):
        both.ask("ListGroups", v, {}, "all")
        if v >= 4:
            both.ask("ListGroups", v, {"StatesFilter": ["Stable"]}, "stable")
        if v >= 5:
            both.ask("ListGroups", v, {"TypesFilter": ["classic"]}, "classic")
    both.is_taping = True
    for v in both.versions("OffsetCommit", low=2, high=9):
        both.ask("OffsetCommit", v, {"GroupId": "simple", "Topics": [{"Name": "data", "Partitions": [
            {"PartitionIndex": 0, "CommittedOffset": 3, "CommittedMetadata": ""}]}]}, "without members")
        both.ask("OffsetCommit", v, {"GroupId": "simple", "Topics": [{"Name": "nowhere", "Partitions": [
            {"PartitionIndex": 0, "CommittedOffset": 3, "CommittedMetadata": ""}]}]}, "nowhere")
    for v in both.versions("DescribeGroups"):
        both.ask("DescribeGroups", v, {"Groups": ["simple"]}, "simple")
    for v in both.versions("OffsetDelete"):
        both.ask("OffsetDelete", v, {"GroupId": "simple", "Topics": [{"Name": "data", "Partitions": [{"PartitionIndex": 0}]}]}, "simple")
    both.is_taping = False
    for v in both.versions("DeleteGroups"):
        both.ask("DeleteGroups", v, {"GroupsNames": ["joined-%d" % (v + 3), "nowhere"]}, "empty")
    both.is_taping = True


def administration(both):
    data = {"ResourceType": 2, "ResourceName": "data"}
    for v in both.versions("IncrementalAlterConfigs"):
        for note, change in (("set", {"Name": "retention.ms", "ConfigOperation": 0, "Value": "1000"}),
                             ("append", {"Name": "cleanup.policy", "ConfigOperation": 2, "Value": "compact"}),
                             ("subtract", {"Name": "cleanup.policy", "ConfigOperation": 3, "Value": "compact"}),
                             ("delete", {"Name": "retention.ms", "ConfigOperation": 1, "Value": None}),
                             ("append to a number", {"Name": "retention.ms", "ConfigOperation": 2, "Value": "1"}),
                             ("bad", {"Name": "retention.ms", "ConfigOperation": 0, "Value": "never"}),
                             ("unknown", {"Name": "retention.sm", "ConfigOperation": 0, "Value": "1"}),
                             ("null", {"Name": "retention.ms", "ConfigOperation": 0, "Value": None})):
            both.ask("IncrementalAlterConfigs", v, {"Resources": [{**data, "Configs": [change]}]}, note)
        both.ask("IncrementalAlterConfigs", v, {"Resources": [{"ResourceType": 2, "ResourceName": "nowhere", "Configs": [
            {"Name": "retention.ms", "ConfigOperation": 0, "Value": "1000"}]}]}, "nowhere")
    for v in both.versions("AlterConfigs"):
        for note, value in (("set", "2000"), ("bad", "never")):
            both.ask("AlterConfigs", v, {"Resources": [{**data, "Configs": [{"Name": "retention.ms", "Value": value}]}]}, note)
    for v in both.versions("DescribeConfigs"):
        for keys in (["retention.ms"], ["cleanup.policy"], ["max.message.bytes"], ["no.such"]):
            more = {"IncludeSynonyms": False} if v >= 1 else {}
            both.ask("DescribeConfigs", v, {"Resources": [{**data, "ConfigurationKeys": keys}], **more}, keys[0])
        both.ask("DescribeConfigs", v, {"Resources": [{"ResourceType": 2, "ResourceName": "nowhere", "ConfigurationKeys": None}]}, "nowhere")
        both.ask("DescribeConfigs", v, {"Resources": [{"ResourceType": 77, "ResourceName": "x", "ConfigurationKeys": None}]}, "no type")
    for v in both.versions("DescribeCluster"):
        both.ask("DescribeCluster", v, {}, "all")
    for v in both.versions("ElectLeaders"):
        both.ask("ElectLeaders", v, {"TopicPartitions": [{"Topic": "data", "Partitions": [0]}], "TimeoutMs": 10_000}, "preferred")
        both.ask("ElectLeaders", v, {"TopicPartitions": [{"Topic": "nowhere", "Partitions": [0]}], "TimeoutMs": 10_000}, "nowhere")
    for v in both.versions("ListPartitionReassignments"):
        both.ask("ListPartitionReassignments", v, {"TimeoutMs": 10_000, "Topics": None}, "all")
    for v in both.versions("AlterPartitionReassignments"):
        both.ask("AlterPartitionReassignments", v, {"TimeoutMs": 10_000, "Topics": [{"Name": "data", "Partitions": [
            {"PartitionIndex": 0, "Replicas": None}]}]}, "cancel")
        both.ask("AlterPartitionReassignments", v, {"TimeoutMs": 10_000, "Topics": [{"Name": "data", "Partitions": [
            {"PartitionIndex": 0, "Replicas": [1, 2]}]}]}, "to nobody")
    both.ask("ApiVersions", 3, {"ClientSoftwareName": "no name!", "ClientSoftwareVersion": "1"}, "bad name")


def main():
    both = Both(sys.argv[1:3])
    both.warm_up()
    for part in (topics, records, groups, administration):
        part(both)
    spoken = sum(1 for key in both.ours for v in both.ours[key] if v in both.theirs.get(key, []))
    if len(sys.argv) > 3:
        both.write_tape(sys.argv[3])
    print("%d questions over %d API versions that both speak; %d differ" % (both.asked, spoken, len(both.failures)))
    for failure in both.failures:
        print("  " + failure)
    sys.exit(1 if both.failures else 0)


main()
