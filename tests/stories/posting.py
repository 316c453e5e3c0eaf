"""Posts that go on while the server comes and goes, and the accounting of what became of them.

Every post carries the record header `pinpipe-post: story/<n>`, which tells the duplicate of a retry from a bug.
"""
import collections
import http.client
import json
import threading

from house import Result, request

POSTERS = 4
RETRY_SECONDS = 0.02


class Posting:
    def __init__(self, house, topic, count, to_stream=False):
        self.house, self.topic, self.count, self.to_stream = house, topic, count, to_stream
        self.attempts = collections.Counter()
        self.acknowledged = set()
        self.refused = []
        self.next = 0
        self.changed = threading.Condition()
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self.post_all, daemon=True) for _ in range(POSTERS)]
        for thread in self.threads:
            thread.start()

    def post_all(self):
        while not self.ending.is_set():
            with self.changed:
                if self.next == self.count:
                    return
                number, self.next = self.next, self.next + 1
            while not self.ending.is_set() and not self.post(number):
                self.ending.wait(RETRY_SECONDS)

    def post(self, number):
        at = self.house.endpoints().get("gateway")
        if not at:
            return False
        row = {"ind": number, "first_name": "Ada", "last_name": "Byron", "age": 36, "date_joined": "2015-12-10T10:15:00"}
        if self.to_stream:
            how = ("PUT", f"http://{at}/test/streams/{self.topic}/record", [("Content-Type", "application/json")])
            body = {"StreamName": self.topic, "Data": row, "PartitionKey": "partition-1"}
        else:
            how = ("POST", f"http://{at}/topics/{self.topic}",
                   [("Content-Type", "application/vnd.kafka.json.v2+json"), ("pinpipe-post", f"story/{number}")])
            body = {"records": [{"value": row}]}
        with self.changed:
            self.attempts[number] += 1
        try:
            answer = request(*how, json.dumps(body).encode())
        except (OSError, http.client.HTTPException):
            return False
        with self.changed:
            if answer.code == 200:
                self.acknowledged.add(number)
            elif answer.code < 500:
                self.refused.append((number, answer))
            self.changed.notify_all()
        return answer.code < 500

    def wait_for(self, count, seconds):
        with self.changed:
            there = self.changed.wait_for(lambda: len(self.acknowledged) >= count or self.refused, seconds)
            if self.refused:
                number, answer = self.refused[0]
                return Result(1, "", f"post {number} was answered {answer.code} {answer.out}")
            return Result(0 if there else 124, "", f"{len(self.acknowledged)} of {count} posts are acknowledged")

    def close(self):
        self.ending.set()
        for thread in self.threads:
            thread.join()

    def covers(self, records):
        """Whether so many records can be: at least what was acknowledged, at most what was sent."""
        sent = sum(self.attempts.values())
        return Result(0 if len(self.acknowledged) <= records <= sent else 1,
                      f"{len(self.acknowledged)} acknowledged, {sent} sent, {records} records\n")

    def account(self):
        """Every acknowledged post is in the topic, none more often than it was sent, offsets without a gap."""
        listing = self.house.program(["kcat", "-C", "-b", self.house.endpoints()["kafka"], "-t", self.topic,
                                      "-o", "beginning", "-e", "-q", "-f", "%o %h\n"])
        if listing.code != 0:
            return listing
        offsets, copies = [], collections.Counter()
        for line in listing.out.splitlines():
            offset, _, mark = line.partition(" ")
            offsets.append(int(offset))
            copies[int(mark.removeprefix("pinpipe-post=story/"))] += 1
        problems = []
        if lost := self.acknowledged - copies.keys():
            problems.append(f"{len(lost)} acknowledged posts are not in the topic: {sorted(lost)[:10]}")
        if extra := {n: c for n, c in copies.items() if c > self.attempts[n]}:
            problems.append(f"posts stored more often than sent: {dict(list(extra.items())[:10])}")
        if offsets != list(range(len(offsets))):
            problems.append("the offsets have gaps")
        told = (f"{len(self.acknowledged)} acknowledged, {sum(self.attempts.values())} sent, {len(offsets)} records, "
                f"{sum(c - 1 for c in copies.values())} duplicates of retries\n")
        return Result(1 if problems else 0, told, "\n".join(problems))
