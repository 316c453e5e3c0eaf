"""Reads the text of a story: one step a line, what belongs to it indented below, `->` what is expected of it.

Nothing here knows what a step does. `$NAME` is a variable, `$$` a dollar sign, `#` at a line's begin a remark.
"""
import dataclasses
import re


class StoryError(Exception):
    """A step that went otherwise than the story says; carries its place."""

    def __init__(self, place, text):
        super().__init__(text)
        self.place = place


@dataclasses.dataclass
class Step:
    place: str                      # "batch.story:12"
    text: str                       # the line, variables not yet replaced
    block: list                     # [(place, line)] below it, dedented
    expected: "Step | None" = None  # the `->` line that follows


def read(path, name):
    with open(path, encoding="utf-8") as file:
        return steps_of([(f"{name}:{i}", line.rstrip("\n")) for i, line in enumerate(file, 1)])


def steps_of(lines):
    steps = []
    for place, line in lines:
        if line.startswith("  "):
            if not steps:
                raise StoryError(place, "an indented line belongs to no step")
            owner = steps[-1].expected or steps[-1]
            owner.block.append((place, line[2:]))
        elif line.startswith("->"):
            if not steps or steps[-1].expected:
                raise StoryError(place, "`->` follows no step")
            steps[-1].expected = Step(place, line[2:].strip(), [])
        elif line.strip() and not line.startswith("#"):
            steps.append(Step(place, line.strip(), []))
    return steps


def fill(text, variables, place):
    def value(match):
        if match.group(0) == "$$":
            return "$"
        if match.group(1) not in variables:
            raise StoryError(place, f"there is no variable ${match.group(1)}")
        return str(variables[match.group(1)])

    return re.sub(r"\$(?:\$|([A-Za-z_]+))", value, text)
