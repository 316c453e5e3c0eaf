#!/usr/bin/env python3
"""Runs stories: text files that say what a person does with pinpipe and what happens then.

usage: run_stories.py --pinpipe BINARY --source DIRECTORY STORY...

Each story has its own data directory and knows the real program only from outside. Exit code 0: as told; 1: not,
with file:line; 77: skipped, with the reason. The verbs are the methods `do_…` below; compare.py says what `->` can say.
"""
import argparse
import concurrent.futures
import csv
import http.client
import io
import json
import os
import re
import shlex
import shutil
import signal
import sys
import tempfile
import threading
import time
import urllib.parse

import compare
import story_text
from databases import Database
from house import CALL_SECONDS, POLL_SECONDS, House, Result, request
from posting import Posting
from story_text import StoryError, fill

USER_ID = "0e90e0175553"
POST_TYPE = "application/vnd.kafka.json.v2+json"
CONNECTIONS = 8


class Skipped(Exception):
    pass


class Story:
    def __init__(self, binary, source):
        self.folder = tempfile.mkdtemp(prefix="pinpipe-story-")
        self.house = House(binary, self.folder)
        self.posting = None
        self.database = None
        self.other = None
        self.last = Result(0)
        here = os.path.dirname(os.path.abspath(__file__))
        self.variables = {"ID": USER_ID, "DATA": self.house.data, "TMP": self.folder, "HERE": here, "SOURCE": source,
                          "GOLDEN": os.path.normpath(os.path.join(source, "..", "shared", "golden"))}
        self.house.flags = ["--overlay", os.path.join(here, "overlays", "quick")]

    def close(self):
        self.house.close()
        if self.other:
            self.other.close()
        if self.posting:
            self.posting.close()
        if self.database:
            self.database.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def tell(self, steps):
        for step in steps:
            text = fill(step.text, self.variables, step.place)
            verb, _, rest = text.partition(" ")
            if verb == "for":
                self.repeat(step, rest)
            elif verb == "until":
                seconds, _, action = rest.partition(" ")
                self.poll(step, float(seconds.rstrip("s")), action)
            else:
                result = self.act(step, text)
                compare.check(step, result, self.variables)
                self.last = result

    def repeat(self, step, rest):
        """for NAMES in VALUES: the block, once for each value; `a,b in 1,2 3,4` sets both."""
        names, _, values = rest.partition(" in ")
        body = story_text.steps_of(step.block)
        for value in values.split():
            self.variables.update(zip(names.split(","), value.split(","), strict=True))
            try:
                self.tell(body)
            except StoryError as error:
                raise StoryError(error.place, f"{error}\n  (with {names} = {value})") from None

    def poll(self, step, seconds, action):
        deadline = time.monotonic() + seconds
        while True:
            self.last = self.act(step, action)
            try:
                return compare.check(step, self.last, self.variables)
            except StoryError as error:
                if time.monotonic() > deadline:
                    raise StoryError(error.place, f"not within {seconds:g} s: {error}") from None
            time.sleep(POLL_SECONDS)

    def act(self, step, text):
        verb, _, rest = text.partition(" ")
        if verb in ("GET", "POST", "PUT", "DELETE", "PATCH"):
            return self.exchange(verb, rest, self.block(step))
        do = getattr(self, "do_" + verb, None)
        if do is None:
            raise StoryError(step.place, f"there is no verb \"{verb}\"")
        try:
            return do(rest, self.block(step)) or Result(0)
        except (OSError, http.client.HTTPException) as error:
            return Result(1, "", f"{type(error).__name__}: {error}")

    def block(self, step):
        return "\n".join(fill(line, self.variables, place) for place, line in step.block)

    # --- the program and its server ---

    def do_needs(self, what, _):
        """needs PATH or PROGRAM: without it the story is skipped."""
        if not (os.path.exists(what) if "/" in what else shutil.which(what)):
            raise Skipped(f"there is no {what}")

    def do_database(self, kind, _):
        """database mariadb|postgres: a server of the story's own, empty: $DSN, $WRONG with another password, and $CREDS, a
        db_creds.yaml. Without its package the story is skipped."""
        if not Database.installed(kind):
            raise Skipped(f"{kind}'s server is not installed")
        self.database = Database(kind, self.folder)
        self.variables.update(DSN=self.database.dsn, WRONG=self.database.wrong_dsn, CREDS=os.path.join(self.folder, "db_creds.yaml"))
        with open(self.variables["CREDS"], "w", encoding="utf-8") as file:
            file.write(self.database.creds)

    def do_with(self, flags, _):
        """with FLAGS: every later command and server has them, in place of the quick connector's."""
        self.house.flags = shlex.split(flags)

    def do_certificate(self, folder, _):
        """certificate FOLDER: a key and a certificate of 127.0.0.1 in it; $(env:TLS_FOLDER) is that folder from now on."""
        os.environ.update(TLS_FOLDER=folder, CLERK_SECRET="not told")
        os.makedirs(folder)
        return self.house.program(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                                   "-nodes", "-days", "2", "-subj", "/CN=pinpipe", "-addext", "subjectAltName=IP:127.0.0.1",
                                   "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"])

    def do_fresh(self, _rest, _block):
        """fresh: an empty data directory; no server may be running."""
        self.house.data = self.variables["DATA"] = tempfile.mkdtemp(prefix="data-", dir=self.folder)

    def do_start(self, flags, _):
        result = self.house.start(shlex.split(flags))
        at = self.house.endpoints()
        self.variables.update({name.upper(): at.get(name, "") for name in ("kafka", "gateway", "aws", "console")})
        for name in ("GATEWAY", "AWS", "CONSOLE"):
            self.variables[name] = "http://" + self.variables[name]
        for door, address in at.get("outside", {}).items():
            self.variables["OUTSIDE_" + door.upper()] = address
        self.variables["PORT"] = at.get("kafka", "").rpartition(":")[2]
        return result

    def do_stop(self, _rest, _block):
        return self.house.end(signal.SIGTERM)

    def do_kill(self, _rest, _block):
        return self.house.end(signal.SIGKILL)

    def do_elsewhere(self, flags, _):
        """elsewhere FLAGS: another pinpipe with data of its own, for as long as the story; $ELSEWHERE is its S3 door."""
        folder = os.path.join(self.folder, "elsewhere")
        os.makedirs(folder, exist_ok=True)
        self.other = House(self.house.binary, folder)
        result = self.other.start(shlex.split(flags))
        self.variables["ELSEWHERE"] = "http://" + self.other.endpoints().get("aws", "")
        return result

    def do_cli(self, arguments, stdin):
        return self.house.cli(shlex.split(arguments), stdin)

    def do_kcat(self, arguments, stdin):
        """kcat ARGUMENTS, with the server's address; the block is stdin."""
        return self.house.program(["kcat", "-b", self.variables["KAFKA"], *shlex.split(arguments)],
                                  stdin + "\n" if stdin else "")

    def do_make(self, arguments, _):
        """make ARGUMENTS: by the source's own Makefile."""
        return self.house.program(["make", "-s", "-C", self.variables["SOURCE"], *shlex.split(arguments)])

    def do_aws(self, arguments, _):
        """aws ARGUMENTS: Debian's AWS CLI at this server's endpoint."""
        return self.program_at_home(["/usr/bin/aws", "--endpoint-url", self.variables["AWS"], *shlex.split(arguments)])

    def do_python(self, arguments, _):
        """python SCRIPT ARGUMENTS: with Debian's python3 and its modules, in the folder $TMP/home; $INVOKE_URL is the gateway."""
        return self.program_at_home(["/usr/bin/python3", *shlex.split(arguments)])

    def program_at_home(self, command):
        home = os.path.join(self.folder, "home")
        os.makedirs(home, exist_ok=True)
        return self.house.program(command, folder=home, environment={
            "INVOKE_URL": self.variables["GATEWAY"] + "/test", "AWS_ACCESS_KEY_ID": "pinpipe", "AWS_SECRET_ACCESS_KEY": "pinpipe",
            "AWS_DEFAULT_REGION": "us-east-1", "AWS_PAGER": "", "HOME": home})

    def do_keep(self, rest, _):
        """keep NAME REGEX: a variable with what the regex finds in the last output (its group, if it has one)."""
        name, _, pattern = rest.partition(" ")
        match = re.search(pattern, self.last.out, re.MULTILINE)
        if not match:
            return Result(1, self.last.out, f"/{pattern}/ is not in the last output")
        self.variables[name] = match.group(match.lastindex or 0)
        return self.last

    def do_save(self, path, _):
        """save FILE: the last output."""
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(self.last.out)

    def do_values(self, rest, _):
        """values to FILE: those of the last `topic tail -o json`, a line each."""
        with open(rest.removeprefix("to "), "w", encoding="utf-8") as file:
            file.writelines(row["value"] + "\n" for row in json.loads(self.last.out))

    def do_write(self, path, text):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text + "\n")

    def do_names(self, rest, _):
        """names NAME in FOLDER outside OTHER: fails when a file or folder of that name is there."""
        name, folder, outside = re.fullmatch(r"(\S+) in (\S+) outside (\S+)", rest).groups()
        found = [os.path.join(root, name) for root, folders, names in os.walk(folder)
                 if name in folders + names and not root.startswith(outside)]
        return Result(1 if found else 0, "\n".join(found))

    # --- posts ---

    def exchange(self, method, url, block):
        """METHOD URL: header lines first, then the body; `<< N bytes of x` is a body of that size."""
        headers, lines = [], block.split("\n") if block else []
        while lines and re.match(r"[A-Za-z][A-Za-z0-9-]*: ", lines[0]):
            headers.append(tuple(lines.pop(0).split(": ", 1)))
        body = "\n".join(lines).encode()
        if size := re.fullmatch(rb"<< (\d+) bytes of (.)", body):
            body = size.group(2) * int(size.group(1))
        if body and "content-type" not in {name.lower() for name, _ in headers}:
            headers.append(("Content-Type", POST_TYPE if "/topics/" in url else "application/json"))
        return request(method, url, headers, body)

    def do_rows(self, rest, block):
        """rows FILE into URL: every line posted as one record, one a request; or the block's lines."""
        source, _, url = rest.partition(" into ") if " into " in rest else ("", "", rest.removeprefix("into "))
        lines = compare.read_file(source).split("\n") if source else block.split("\n")
        lines = [line for line in lines if line]
        local = threading.local()

        def post(line):
            if not hasattr(local, "connection"):
                local.connection = http.client.HTTPConnection(url.split("/")[2], timeout=CALL_SECONDS)
            body = b'{"records": [{"value": %s}]}' % line.encode()
            return request("POST", url, [("Content-Type", POST_TYPE)], body, local.connection)

        with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
            bad = [answer for answer in pool.map(post, lines) if answer.code != 200]
        return Result(1, bad[0].out, f"{len(bad)} posts failed") if bad else Result(0, f"{len(lines)} posted")

    def do_posting(self, rest, _):
        """posting COUNT rows to TOPIC, or to stream NAME: from now on, whatever happens to the server."""
        count, _, where = rest.partition(" rows to ")
        self.posting = Posting(self.house, where.removeprefix("stream "), int(count), where.startswith("stream "))

    def do_acknowledged(self, count, _):
        """acknowledged COUNT: waits until so many posts are."""
        return self.posting.wait_for(int(count), CALL_SECONDS)

    def do_covers(self, records, _):
        """covers RECORDS: what Posting.covers says."""
        result = self.posting.covers(int(records))
        print("  " + result.out, end="")
        return result

    def do_account(self, _rest, _block):
        """account: what Posting.account says."""
        result = self.posting.account()
        print("  " + result.out, end="")
        return result

    def do_topic(self, rest, _):
        """topic NAME holds FILE: its records are the file's lines as JSON values, in any order."""
        topic, _, path = rest.partition(" holds ")
        listing = self.house.cli(["topic", "list", "-o", "json"])
        count = next((row["records"] for row in json.loads(listing.out or "[]") if row["topic"] == topic), 0)
        tail = self.house.cli(["topic", "tail", topic, "--count", str(max(1, count)), "-o", "json"])
        if tail.code:
            return tail
        as_text = lambda line: json.dumps(json.loads(line), sort_keys=True)
        wanted = sorted(as_text(line) for line in compare.read_file(path).split("\n") if line)
        got = sorted(as_text(row["value"]) for row in json.loads(tail.out))
        return Result(0 if wanted == got else 1, "", f"{len(got)} records, expected the {len(wanted)} lines of {path}")

    def do_objects(self, rest, _):
        """objects of TOPIC hold each record once: its objects begin where the one before ended, up to the topic's end."""
        topic = rest.removeprefix("of ").partition(" ")[0]
        bucket = f"user-{USER_ID}-bucket/"
        listing = self.house.cli(["object", "ls", bucket + f"topics/{topic}/", "--count", "100000", "-o", "json"])
        topics = self.house.cli(["topic", "list", "-o", "json"])
        if listing.code or topics.code:
            return listing if listing.code else topics
        end = next(row["end"] for row in json.loads(topics.out) if row["topic"] == topic)
        connection = http.client.HTTPConnection(self.variables["AWS"].removeprefix("http://"), timeout=CALL_SECONDS)
        at = 0
        for key in sorted(row["key"] for row in json.loads(listing.out)):
            first = int(key.rpartition("+")[2].removesuffix(".json"))
            if first != at:
                return Result(1, listing.out, f"{key} begins at {first}, the one before it ended at {at}")
            connection.request("GET", "/" + urllib.parse.quote(bucket + key))
            at += connection.getresponse().read().count(b"\n")
        connection.close()
        return Result(0 if at == end else 1, "", f"the objects hold {at} records, the topic {end}")

    # --- all commands ---

    def do_walk(self, _rest, block):
        """walk: every call of /api/v1 by the command lines below, with the server and then without it; both give the
        same exit code and columns. `$$turn` in a line is 1 and then 2."""
        lines = block.split("\n")
        calls = json.loads(request("GET", self.variables["CONSOLE"] + "/api/v1", [], b"").out)["calls"]
        problems = [f"no line below runs `pinpipe {command}`"
                    for command in (call["call"].removeprefix("/api/v1/").replace("/", " ") for call in calls)
                    if not any(line == command or line.startswith(command + " ") for line in lines)]
        shapes = []
        for turn in ("1", "2"):
            if turn == "2":
                self.house.end(signal.SIGTERM)
            done = [self.house.cli(["-o", "csv", *shlex.split(line.replace("$turn", turn))]) for line in lines]
            shapes.append([(r.code, next(csv.reader(io.StringIO(r.out)), []), r.err) for r in done])
        for line, (code, columns, err), (code_alone, columns_alone, err_alone) in zip(lines, *shapes):
            if (code, columns) != (code_alone, columns_alone):
                problems.append(f"{line}: with the server {code} {columns} {err}; without {code_alone} {columns_alone} {err_alone}")
            elif code != 0 or not columns:
                problems.append(f"{line}: exit code {code}, columns {columns}: {err}")
        return Result(1 if problems else 0, "", "\n".join(problems))


def run(path, binary, source):
    name = os.path.relpath(path, source)
    story = Story(binary, source)
    begin = time.monotonic()
    try:
        story.tell(story_text.read(path, name))
    except Skipped as reason:
        print(f"SKIPPED {name}: {reason}")
        return 77
    except StoryError as error:
        print(f"{error.place}: {error}\n\n  end of the server's log:\n{compare.indent(story.house.log_tail())}")
        return 1
    finally:
        story.close()
    print(f"ok {name} ({time.monotonic() - begin:.1f} s)")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pinpipe", required=True)
    parser.add_argument("--source", required=True)
    parser.add_argument("stories", nargs="+")
    options = parser.parse_args()
    codes = [run(os.path.abspath(path), os.path.abspath(options.pinpipe), os.path.abspath(options.source))
             for path in options.stories]
    sys.exit(1 if 1 in codes else 77 if 77 in codes else 0)


if __name__ == "__main__":
    main()
