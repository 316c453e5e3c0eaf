#!/usr/bin/env python3
"""Compares our cron with croniter (PyPI) on random expressions, zones and instants, many of them
close to a change of the clock. Needs: pip install croniter tzdata, and the program cron_probe.

    croniter_agrees.py PATH/cron_probe [COUNT] [SEED]
"""
import datetime
import importlib.metadata
import random
import subprocess
import sys
import zoneinfo

import croniter

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata",
         "America/Sao_Paulo", "Pacific/Apia", "Africa/Casablanca", "Europe/Dublin",
         "America/St_Johns", "Asia/Kathmandu", "Pacific/Auckland"]
RANGES = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]
NAMES = {3: "jan feb mar apr may jun jul aug sep oct nov dec".split(),
         4: "sun mon tue wed thu fri sat".split()}


def value(dice, field):
    low, high = RANGES[field]
    if field in NAMES and dice.random() < 0.3:
        return dice.choice(NAMES[field])
    return str(dice.randint(low, high))


def part(dice, field):
    kind = dice.random()
    if kind < 0.2:
        return "*/" + str(dice.randint(1, RANGES[field][1]))
    if kind < 0.6:
        return value(dice, field)
    if kind < 0.7:
        return value(dice, field) + "/" + str(dice.randint(1, 20))
    step = "/" + str(dice.randint(1, 6)) if dice.random() < 0.3 else ""
    return value(dice, field) + "-" + value(dice, field) + step


def expression(dice):
    fields = []
    for field in range(5):
        if dice.random() < (0.3 if field < 1 else 0.45):
            fields.append("*")
        else:
            fields.append(",".join(part(dice, field) for _ in range(dice.choice([1, 1, 1, 2, 3]))))
    return " ".join(fields)


def changes(zone):
    """Instants at which the zone's offset changes, 2015 to 2035."""
    info, found = zoneinfo.ZoneInfo(zone), []
    at = 1420070400
    while at < 2051222400:
        def offset(moment):
            return datetime.datetime.fromtimestamp(moment, info).utcoffset()
        if offset(at) != offset(at + 43200):
            low, high = at, at + 43200
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
            found.append(high)
        at += 43200
    return found or [at]


def expected(instant, zone, text):
    start = datetime.datetime.fromtimestamp(instant, zoneinfo.ZoneInfo(zone))
    try:
        return str(int(croniter.croniter(text, start).get_next(datetime.datetime).timestamp()))
    except croniter.CroniterBadDateError:
        return "never"
    except (croniter.CroniterBadCronError, croniter.CroniterUnsupportedSyntaxError):
        return "invalid"


def main():
    probe, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 20260101
    dice = random.Random(seed)
    near = {zone: changes(zone) for zone in ZONES}
    questions = []
    for _ in range(count):
        zone = dice.choice(ZONES)
        if dice.random() < 0.5:
            instant = dice.choice(near[zone]) + dice.randint(-100_000, 20_000)
        else:
            instant = dice.randint(1420070400, 2051222400)
        questions.append((instant, zone, expression(dice)))
    lines = "".join(f"{instant} {zone} {text}\n" for instant, zone, text in questions)
    answers = subprocess.run([probe], input=lines, capture_output=True, text=True,
                             check=True).stdout.split()
    wrong = 0
    for question, answer in zip(questions, answers, strict=True):
        wanted = expected(*question)
        if answer != wanted:
            wrong += 1
            if wrong <= 20:
                print(f"{question}: croniter {wanted}, ours {answer}")
    kinds = [sum(answer == kind for answer in answers) for kind in ("never", "invalid")]
    print(f"croniter {importlib.metadata.version('croniter')}, seed {seed}: {count} compared "
          f"({kinds[0]} never fire, {kinds[1]} invalid), {wrong} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
