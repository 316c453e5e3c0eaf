"""What a step gave against what the story expects of it.

    -> 0                             exit code (HTTP: status); below it one of
         text                        exactly these lines on stdout (HTTP: the body)
         {"a": 1}                    JSON: what is named here is there and equal; lists are equal; "..." is anything
         ~ regex  /  ! regex         found in stdout (body)  /  in stderr
    -> 0 any order                   CSV rows in any order
    -> 0 same rows as FILE           the rows of a CSV file in any order
    -> 0 has the rows of FILE        they are among ours, compared by the file's columns
"""
import collections
import csv
import io
import json
import re

from story_text import StoryError, fill


def check(step, result, variables):
    """Raises StoryError where `result` is not what `step.expected` says."""
    place = step.place
    if step.expected is None:
        if result.code != 0 and not 200 <= result.code < 300:
            raise StoryError(place, f"expected success, got {result.code}\n{shown(result)}")
        return
    expected = step.expected
    code, _, how = fill(expected.text, variables, expected.place).partition(" ")
    if code and int(code) != result.code:
        raise StoryError(expected.place, f"expected {code}, got {result.code}\n{shown(result)}")
    lines = [(p, fill(line, variables, p)) for p, line in expected.block]
    if how.startswith("same rows as "):
        check_rows(expected.place, result.out, read_file(how[len("same rows as "):]))
    elif how.startswith("has the rows of "):
        check_contains(expected.place, result.out, read_file(how[len("has the rows of "):]))
    elif how == "any order":
        check_rows(expected.place, result.out, "\n".join(line for _, line in lines) + "\n")
    elif how:
        raise StoryError(expected.place, f"nothing is known of \"{how}\"")
    elif lines:
        check_lines(expected.place, lines, result)


def check_lines(place, lines, result):
    patterns = [(p, line) for p, line in lines if line[:2] in ("~ ", "! ")]
    for p, line in patterns:
        where, text = ("stdout", result.out) if line[0] == "~" else ("stderr", result.err)
        if not re.search(line[2:], text, re.MULTILINE):
            raise StoryError(p, f"/{line[2:]}/ is not in {where}\n{shown(result)}")
    plain = "\n".join(line for _, line in lines if line[:2] not in ("~ ", "! "))
    if not plain:
        return
    try:
        wanted = json.loads(plain) if plain[0] in "{[" else None
    except ValueError:
        wanted = None
    if wanted is not None:
        try:
            got = json.loads(result.out)
        except ValueError:
            raise StoryError(place, f"the answer is no JSON\n{shown(result)}") from None
        if difference := json_difference(wanted, got, ""):
            raise StoryError(place, f"{difference}\n{shown(result)}")
    elif plain != result.out.rstrip("\n"):
        raise StoryError(place, f"expected\n{indent(plain)}\ngot\n{indent(result.out)}")


def json_difference(wanted, got, path):
    if wanted == "...":
        return None
    if isinstance(wanted, dict) and isinstance(got, dict):
        for key, value in wanted.items():
            if key not in got:
                return f"{path}.{key} is missing"
            if difference := json_difference(value, got[key], f"{path}.{key}"):
                return difference
        return None
    if isinstance(wanted, list) and isinstance(got, list):
        if len(wanted) != len(got):
            return f"{path or 'the list'} has {len(got)} entries, expected {len(wanted)}"
        found = (json_difference(w, g, f"{path}[{i}]") for i, (w, g) in enumerate(zip(wanted, got)))
        return next(filter(None, found), None)
    return None if wanted == got else f"{path or 'the answer'} is {json.dumps(got)}, expected {json.dumps(wanted)}"


def read_file(path):
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


def table(text):
    # 46000.0 and 46000 are the same number.
    rows = list(csv.reader(io.StringIO(text)))
    return [[re.sub(r"^(-?\d+)\.0$", r"\1", cell) for cell in row] for row in rows]


def check_rows(place, got_text, wanted_text):
    got, wanted = table(got_text), table(wanted_text)
    if not got or got[0] != wanted[0]:
        raise StoryError(place, f"expected the columns {wanted[0]}, got {got[0] if got else 'nothing'}")
    ours, theirs = (collections.Counter(map(tuple, rows[1:])) for rows in (got, wanted))
    if ours != theirs:
        raise StoryError(place, f"{len(got) - 1} rows, expected {len(wanted) - 1}\n"
                                f"  missing {list((theirs - ours).elements())[:5]}\n"
                                f"  too many {list((ours - theirs).elements())[:5]}")


def check_contains(place, got_text, wanted_text):
    got, wanted = table(got_text), table(wanted_text)
    if absent := [name for name in wanted[0] if name not in got[0]]:
        raise StoryError(place, f"there is no column {absent[0]} among {got[0]}")
    columns = [got[0].index(name) for name in wanted[0]]
    ours = {tuple(row[i] for i in columns) for row in got[1:]}
    if missing := [row for row in wanted[1:] if tuple(row) not in ours]:
        raise StoryError(place, f"{len(missing)} of {len(wanted) - 1} rows are missing, first {missing[0]}")


def indent(text):
    return "\n".join("    " + line for line in text.rstrip("\n").split("\n"))


def shown(result):
    cut = lambda text: text if len(text) < 4000 else text[:4000] + f"… ({len(text)} characters)"
    parts = [f"  {name}:\n{indent(cut(text))}" for name, text in (("stdout", result.out), ("stderr", result.err)) if text]
    return "\n".join(parts) or "  (no output)"
