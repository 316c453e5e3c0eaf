"""Rows of several readers, made comparable; and the sample program's answers."""
import datetime
import decimal
import json
import re
import subprocess
import sys

failures = 0
INSTANT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?(\+00)?$")


def check(name, good, detail=""):
    global failures
    failures += not good
    print(("ok      " if good else "FAILED  ") + name + (f": {detail}" if detail and not good else ""), flush=True)


def finish():
    print("all good" if failures == 0 else f"{failures} failed")
    sys.exit(failures != 0)


def sample(program, *arguments):
    """What the sample program prints: a list of JSON objects."""
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{arguments}: {done.stderr.strip()}")
    return [json.loads(part) for part in done.stdout.split("\n\n") if part.strip()]


def plain(value):
    """A value as JSON has it, as far as several readers' spellings can be compared."""
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, datetime.datetime):
        return (value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)).timestamp()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return value.hex().upper()
    if isinstance(value, str) and INSTANT.match(value):
        whole = value.removesuffix("+00").replace(" ", "T") + "+00:00"
        return datetime.datetime.fromisoformat(whole).timestamp()
    if isinstance(value, list) and value and all(isinstance(v, tuple) for v in value):
        return {k: plain(v) for k, v in value}
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return value


def canonical(rows):
    return sorted(json.dumps({k: plain(v) for k, v in row.items()}, sort_keys=True) for row in rows)


def difference(got, want):
    if len(got) != len(want):
        return f"{len(got)} rows, not {len(want)}: {got[:2]} / {want[:2]}"
    return next((f"{g} / {w}" for g, w in zip(got, want) if g != w), "")


def check_rows(name, got, want):
    got, want = canonical(got), canonical(want)
    check(f"{name}: {len(want)} rows", got == want, difference(got, want))
