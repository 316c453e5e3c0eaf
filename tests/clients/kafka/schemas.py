"""Kafka's protocol by its own schema files (those in kafka-python's wheel): any request of any version from plain
values, and plain values from any response, to its last byte."""
import importlib.resources
import json
import re
import socket
import struct
import uuid

NUMBERS = {"int8": "b", "int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q", "float64": "d"}


class Span:
    """"1-4", "2+", "3", "none"."""

    def __init__(self, text):
        low, _, high = (text or "none").partition("-")
        self.is_none = text in (None, "none")
        if not self.is_none:
            self.low = int(low.rstrip("+"))
            self.high = 1 << 15 if low.endswith("+") else int(high or low)

    def __contains__(self, version):
        return not self.is_none and self.low <= version <= self.high


class Field:
    def __init__(self, facts, commons):
        self.name, kind = facts["name"], facts["type"]
        self.is_array = kind.startswith("[]")
        self.kind = kind.removeprefix("[]")
        self.versions = Span(facts.get("versions"))
        self.nullable = Span(facts.get("nullableVersions"))
        self.tagged = Span(facts.get("taggedVersions"))
        self.tag = facts.get("tag")
        self.flexible = Span(facts["flexibleVersions"]) if "flexibleVersions" in facts else None
        self.default = facts.get("default")
        inner = facts.get("fields") or commons.get(self.kind)
        self.fields = [Field(one, commons) for one in inner] if inner else None

    def standard(self, version):
        if self.default in ("null", None) and version in self.nullable and (self.default == "null" or self.fields):
            return None
        if self.is_array:
            return []
        if self.fields:
            return {}
        if self.kind == "uuid":
            return uuid.UUID(int=0)
        if self.kind == "bool":
            return str(self.default).lower() == "true"
        if self.kind in NUMBERS:
            return int(str(self.default or 0), 0)
        return b"" if self.kind in ("bytes", "records") else self.default or ""


class Message:
    def __init__(self, name):
        source = importlib.resources.files("kafka.protocol.schemas.resources").joinpath(name + ".json").read_text("utf-8")
        facts = json.loads(re.sub(r"^\s*//.*$", "", source, flags=re.MULTILINE))
        commons = {common["name"]: common["fields"] for common in facts.get("commonStructs", [])}
        self.key, self.versions, self.flexible = facts["apiKey"], Span(facts["validVersions"]), Span(facts.get("flexibleVersions"))
        self.fields = [Field(one, commons) for one in facts["fields"]]


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


class Writer:
    def __init__(self, version, flexible):
        self.version, self.flexible, self.out = version, flexible, bytearray()

    def count(self, count, short, flexible):
        if flexible:
            self.out += varint(0 if count is None else count + 1)
        else:
            self.out += struct.pack(">h" if short else ">i", -1 if count is None else count)

    def struct(self, fields, values):
        unknown = set(values) - {field.name for field in fields}
        assert not unknown, unknown
        for field in fields:
            if self.version in field.versions and self.version not in field.tagged:
                self.value(field, values.get(field.name, field.standard(self.version)))
        if self.flexible:
            tags = [field for field in fields if self.version in field.tagged and field.name in values]
            self.out += varint(len(tags))
            for field in sorted(tags, key=lambda one: one.tag):
                inner = Writer(self.version, True)
                inner.value(field, values[field.name])
                self.out += varint(field.tag) + varint(len(inner.out)) + inner.out

    def value(self, field, value):
        if not field.is_array:
            return self.one(field, value)
        self.count(None if value is None else len(value), False, self.flexible)
        for one in value or []:
            self.one(field, one)

    def one(self, field, value):
        flexible = self.flexible if field.flexible is None else self.version in field.flexible
        if field.fields:
            if not field.is_array and self.version in field.nullable:
                self.out += struct.pack(">b", -1 if value is None else 1)
            if value is not None:
                self.struct(field.fields, value)
        elif field.kind == "bool":
            self.out.append(1 if value else 0)
        elif field.kind in NUMBERS:
            self.out += struct.pack(">" + NUMBERS[field.kind], value)
        elif field.kind == "uuid":
            self.out += value.bytes
        else:
            data = value.encode() if isinstance(value, str) else value
            self.count(None if data is None else len(data), field.kind == "string", flexible)
            self.out += data or b""


class Left(Exception):
    """A response is longer or shorter than its schema."""


class Reader:
    def __init__(self, data, version, flexible):
        self.data, self.at, self.version, self.flexible = data, 0, version, flexible

    def take(self, count):
        if self.at + count > len(self.data):
            raise Left("cut short at byte %d of %d" % (self.at, len(self.data)))
        self.at += count
        return self.data[self.at - count:self.at]

    def varint(self):
        shift = number = 0
        while True:
            byte = self.take(1)[0]
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7

    def count(self, short, flexible):
        if flexible:
            return self.varint() - 1
        return struct.unpack(">h" if short else ">i", self.take(2 if short else 4))[0]

    def struct(self, fields):
        values = {}
        for field in fields:
            if self.version in field.versions and self.version not in field.tagged:
                values[field.name] = self.value(field)
        if self.flexible:
            tags = {field.tag: field for field in fields if self.version in field.tagged}
            for _ in range(self.varint()):
                tag, size = self.varint(), self.varint()
                inner = Reader(self.take(size), self.version, True)
                values[tags[tag].name if tag in tags else "tag %d" % tag] = inner.value(tags[tag]) if tag in tags else inner.data
        return values

    def value(self, field):
        if not field.is_array:
            return self.one(field)
        count = self.count(False, self.flexible)
        return None if count < 0 else [self.one(field) for _ in range(count)]

    def one(self, field):
        flexible = self.flexible if field.flexible is None else self.version in field.flexible
        if field.fields:
            if not field.is_array and self.version in field.nullable and struct.unpack(">b", self.take(1))[0] < 0:
                return None
            return self.struct(field.fields)
        if field.kind == "bool":
            return self.take(1) != b"\0"
        if field.kind in NUMBERS:
            form = ">" + NUMBERS[field.kind]
            return struct.unpack(form, self.take(struct.calcsize(form)))[0]
        if field.kind == "uuid":
            return uuid.UUID(bytes=bytes(self.take(16)))
        count = self.count(field.kind == "string", flexible)
        data = None if count < 0 else bytes(self.take(count))
        return data.decode() if field.kind == "string" and data is not None else data


class Talk:
    """One connection to one broker."""

    messages = {}

    def __init__(self, address):
        host, _, port = address.rpartition(":")
        self.address = (host, int(port))
        self.socket = None
        self.asked = self.answered = b""  # the last frames, without size; the answer's without its id either

    @classmethod
    def message(cls, name):
        if name not in cls.messages:
            cls.messages[name] = Message(name)
        return cls.messages[name]

    def ask(self, api, version, values):
        """The response's values, or why there are none."""
        request = self.message(api + "Request")
        flexible = version in request.flexible
        body = Writer(version, flexible)
        body.struct(request.fields, values)
        head = struct.pack(">hhih", request.key, version, 7, 5) + b"tests" + (b"\0" if flexible else b"")
        self.asked, self.answered = head + bytes(body.out), b""
        try:
            if self.socket is None:
                self.socket = socket.create_connection(self.address, timeout=30)
            self.socket.sendall(struct.pack(">i", len(self.asked)) + self.asked)
            self.answered = self.exactly(struct.unpack(">i", self.exactly(4))[0])[4:]
        except OSError as error:
            self.socket = None
            return "closed" if isinstance(error, ConnectionError) else "no answer"
        reader = Reader(self.answered, version, flexible)
        if flexible and api != "ApiVersions":
            for _ in range(reader.varint()):
                reader.varint(), reader.take(reader.varint())
        try:
            values = reader.struct(self.message(api + "Response").fields)
            if reader.at != len(reader.data):
                raise Left("%d bytes too many" % (len(reader.data) - reader.at))
        except Left as error:
            return "malformed: %s" % error
        return values

    def exactly(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                raise ConnectionResetError("closed")
            data += part
        return data
