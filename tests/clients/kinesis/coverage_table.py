#!/usr/bin/env python3
"""The table of docs/kinesis.md: which operation of the Kinesis API which client did in this run of the group.

usage: coverage_table.py COVERAGE DOCUMENT [--write]
COVERAGE has a line "client<TAB>operation" for each that did what was asked. The operations are those of botocore's own
model. Without --write it ends non-zero when the document says something else.
"""
import sys

import botocore.session

CLIENTS = ["boto3", "aws", "aws-sdk-js", "aws-sdk-java"]
BEGIN, END = "<!-- what the clients did -->\n", "<!-- end -->\n"


def table(done):
    model = botocore.session.get_session().get_service_model("kinesis")
    lines = ["| operation | " + " | ".join(CLIENTS) + " |\n", "|---" * (len(CLIENTS) + 1) + "|\n"]
    for name in sorted(model.operation_names):
        cells = ["yes" if (client, name) in done else "" for client in CLIENTS]
        if not any(cells):
            cells = ["not supported"] + [""] * (len(CLIENTS) - 1)
        lines.append(f"| {name} | " + " | ".join(cells) + " |\n")
    return "".join(lines)


def main():
    coverage, document = sys.argv[1:3]
    with open(coverage) as file:
        done = {tuple(line.rstrip("\n").split("\t")) for line in file}
    with open(document) as file:
        text = file.read()
    before, _, rest = text.partition(BEGIN)
    told, _, after = rest.partition(END)
    if told == table(done):
        return
    if "--write" not in sys.argv:
        sys.exit(f"{document} tells something else; write it anew: {' '.join(sys.argv)} --write\n{table(done)}")
    with open(document, "w") as file:
        file.write(before + BEGIN + table(done) + END + after)


main()
