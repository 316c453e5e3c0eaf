"""Just enough of a data set's YAML: its name and its columns with their types, in order."""
import dataclasses
import re


@dataclasses.dataclass
class Dataset:
    name: str
    columns: list  # [(name, type)]


def dataset(path):
    name, columns, inside = None, [], False
    with open(path, encoding="utf-8") as file:
        for line in file:
            if match := re.match(r"dataset: *(\S+)", line):
                name = match.group(1)
            elif not line.startswith(" "):
                inside = line.startswith("columns:")
            elif inside and (match := re.match(r" +(\w+): *(?:\{ *type: *)?(\w+)", line)):
                columns.append(match.groups())
    return Dataset(name, columns)
