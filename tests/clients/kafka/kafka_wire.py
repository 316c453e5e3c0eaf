"""A small Kafka client over a socket: what the tests that kill a broker need, and nothing that
retries behind their back. Old, not flexible versions throughout."""
import socket
import struct


def _crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_TABLE = _crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def varint(number):
    number = (number << 1) ^ (number >> 63)
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def text(value):
    return struct.pack(">h", -1) if value is None else struct.pack(">h", len(value)) + value.encode()


def batch(records, producer_id=-1, epoch=-1, sequence=-1, now_ms=1_700_000_000_000):
    """Records are pairs of key and value, bytes or None."""
    body = b""
    for delta, (key, value) in enumerate(records):
        one = b"\0" + varint(0) + varint(delta)
        for part in (key, value):
            one += varint(-1) if part is None else varint(len(part)) + part
        one += varint(0)
        body += varint(len(one)) + one
    signed = struct.pack(">hiqqqhii", 0, len(records) - 1, now_ms, now_ms, producer_id, epoch,
                         sequence, len(records)) + body
    return struct.pack(">qiibI", 0, len(signed) + 9, 0, 2, crc32c(signed)) + signed


def records_of(stored):
    """Yields (batch header fields, [(offset, key, value)]) for uncompressed batches."""
    at = 0
    while len(stored) - at >= 61:
        base, length = struct.unpack_from(">qi", stored, at)
        if at + 12 + length > len(stored):
            return
        (attributes, last_delta, _, _, _, _, _, count) = struct.unpack_from(">hiqqqhii", stored, at + 21)
        assert attributes & 7 == 0, "the tests do not compress"
        end = at + 12 + length
        place = at + 61
        found = []

        def take_varint():
            nonlocal place
            shift = result = 0
            while True:
                byte = stored[place]
                place += 1
                result |= (byte & 0x7F) << shift
                if byte < 0x80:
                    return (result >> 1) ^ -(result & 1)
                shift += 7

        for _ in range(count):
            size = take_varint()
            record_end = place + size
            place += 1
            take_varint()
            offset = base + take_varint()
            parts = []
            for _ in range(2):
                part_size = take_varint()
                parts.append(None if part_size < 0 else stored[place:place + part_size])
                place += max(part_size, 0)
            found.append((offset, *parts))
            place = record_end
        yield base + last_delta, found
        at = end


class Failed(Exception):
    """The broker answered with an error code."""

    def __init__(self, code):
        super().__init__("error code %d" % code)
        self.code = code


class Connection:
    def __init__(self, port, timeout=20):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.next_id = 0

    def close(self):
        self.socket.close()

    def send(self, key, version, body):
        self.next_id += 1
        request = struct.pack(">hhi", key, version, self.next_id) + text("soak") + body
        self.socket.sendall(struct.pack(">i", len(request)) + request)

    def _exactly(self, count):
        parts = []
        while count > 0:
            part = self.socket.recv(min(count, 1 << 20))
            if not part:
                raise ConnectionError("the broker is gone")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def receive(self):
        size, = struct.unpack(">i", self._exactly(4))
        return self._exactly(size)[4:]

    def ask(self, key, version, body):
        self.send(key, version, body)
        return self.receive()

    def is_answered(self):
        """Whether the broker tells its API versions."""
        return self.ask(18, 0, b"")[:2] == b"\0\0"

    def create_topic(self, name, partitions, configs=None):
        body = struct.pack(">i", 1) + text(name) + struct.pack(">ihi", partitions, 1, 0)
        body += struct.pack(">i", len(configs or {}))
        for setting, value in (configs or {}).items():
            body += text(setting) + text(value)
        answer = self.ask(19, 2, body + struct.pack(">ib", 10_000, 0))
        size, = struct.unpack_from(">h", answer, 8)
        code, = struct.unpack_from(">h", answer, 10 + size)
        if code not in (0, 36):
            raise Failed(code)

    def new_producer_id(self):
        answer = self.ask(22, 0, text(None) + struct.pack(">i", 0))
        code, producer_id, epoch = struct.unpack_from(">hqh", answer, 4)
        if code != 0:
            raise Failed(code)
        return producer_id, epoch

    def send_produce(self, topic, partition, stored):
        body = text(None) + struct.pack(">hii", -1, 30_000, 1) + text(topic)
        self.send(0, 7, body + struct.pack(">iii", 1, partition, len(stored)) + stored)

    def receive_produced(self):
        answer = self.receive()
        size, = struct.unpack_from(">h", answer, 4)
        code, base = struct.unpack_from(">hq", answer, 4 + 2 + size + 4 + 4)
        if code != 0:
            raise Failed(code)
        return base

    def produce(self, topic, partition, stored):
        self.send_produce(topic, partition, stored)
        return self.receive_produced()

    def fetch(self, topic, partition, offset, bytes_max=4 << 20):
        """The high watermark and the stored batches."""
        body = struct.pack(">iiiib", -1, 0, 1, bytes_max, 0) + struct.pack(">i", 1) + text(topic)
        body += struct.pack(">iiqi", 1, partition, offset, bytes_max)
        answer = self.ask(1, 4, body)
        size, = struct.unpack_from(">h", answer, 8)
        at = 10 + size + 4 + 4
        code, high_watermark, _, aborted = struct.unpack_from(">hqqi", answer, at)
        if code != 0:
            raise Failed(code)
        at += 2 + 8 + 8 + 4 + max(aborted, 0) * 16
        count, = struct.unpack_from(">i", answer, at)
        return high_watermark, answer[at + 4:at + 4 + max(count, 0)]

    def earliest(self, topic, partition):
        body = struct.pack(">ii", -1, 1) + text(topic) + struct.pack(">iiq", 1, partition, -2)
        answer = self.ask(2, 1, body)
        size, = struct.unpack_from(">h", answer, 4)
        return struct.unpack_from(">q", answer, 4 + 2 + size + 4 + 4 + 2 + 8)[0]
