"""One pinpipe of a story: its data directory, its server process, and the ways to talk to it."""
import ctypes
import dataclasses
import http.client
import json
import os
import signal
import ssl
import subprocess
import time
import urllib.parse

START_SECONDS = 30
CALL_SECONDS = 60
POLL_SECONDS = 0.05

libc = ctypes.CDLL(None)


@dataclasses.dataclass
class Result:
    code: int
    out: str = ""
    err: str = ""


def end_with_parent():
    libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: a story that is killed leaves no server behind


class House:
    def __init__(self, binary, folder):
        self.binary = binary
        self.data = os.path.join(folder, "data")
        self.server_log = os.path.join(folder, "server.log")
        self.folder = folder
        self.flags = []
        self.server = None

    def command(self, arguments):
        data = [] if "--data" in arguments else ["--data", self.data]
        return [self.binary, *data, *self.flags, *arguments]

    def cli(self, arguments, stdin=""):
        return self.program(self.command(arguments), stdin)

    def program(self, command, stdin="", folder=None, environment=None):
        try:
            done = subprocess.run(command, input=stdin.encode(), capture_output=True, cwd=folder or self.folder,
                                  env=dict(os.environ, **(environment or {})), timeout=CALL_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return Result(124, "", f"{' '.join(command)} did not end within {CALL_SECONDS} s")
        return Result(done.returncode, *(text.decode("utf-8", "replace") for text in (done.stdout, done.stderr)))

    def start(self, flags):
        with open(self.server_log, "ab") as log:
            self.server = subprocess.Popen(self.command(["up", "--ports", "auto", *flags]), stdout=log, stderr=log,
                                           cwd=self.folder, preexec_fn=end_with_parent)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.server.poll() is not None:
                code, self.server = self.server.returncode, None
                return Result(code, "", f"the server ended while starting\n{self.log_tail()}")
            if self.endpoints().get("pid") == self.server.pid:
                return Result(0)
            time.sleep(POLL_SECONDS)
        return Result(124, "", f"the server was not ready within {START_SECONDS} s\n{self.log_tail()}")

    def end(self, number):
        if self.server is None:
            return Result(1, "", "no server runs")
        server, self.server = self.server, None
        server.send_signal(number)
        try:
            code = server.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
            return Result(124, "", f"the server did not end within {START_SECONDS} s\n{self.log_tail()}")
        return Result(0 if number == signal.SIGKILL else code, "", self.log_tail())

    def close(self):
        if self.server is not None:
            self.server.kill()
            self.server.wait()

    def endpoints(self):
        try:
            with open(os.path.join(self.data, "run", "endpoints.json"), encoding="utf-8") as file:
                return json.load(file)
        except (OSError, ValueError):
            return {}

    def log_tail(self):
        try:
            with open(self.server_log, encoding="utf-8", errors="replace") as file:
                return "".join(file.readlines()[-20:])
        except OSError:
            return ""


def connect(parts):
    """Over TLS the story's own certificate is the only one trusted."""
    if parts.scheme == "http":
        return http.client.HTTPConnection(parts.netloc, timeout=CALL_SECONDS)
    trusted = ssl.create_default_context(cafile=os.path.join(os.environ["TLS_FOLDER"], "cert.pem"))
    return http.client.HTTPSConnection(parts.netloc, timeout=CALL_SECONDS, context=trusted)


def request(method, url, headers, body, connection=None):
    """One HTTP exchange. The target is sent as it is written; what the server says before it has read all counts."""
    parts = urllib.parse.urlsplit(url)
    target = url.split(parts.netloc, 1)[1] or "/"
    own = connection is None
    connection = connection or connect(parts)
    names = {name.lower() for name, _ in headers}
    try:
        connection.putrequest(method, target, skip_host="host" in names, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        if body or method in ("POST", "PUT"):
            connection.putheader("Content-Length", str(len(body)))
        try:
            connection.endheaders(body or None)
        except (BrokenPipeError, ConnectionResetError):
            pass
        response = connection.getresponse()
        return Result(response.status, response.read().decode("utf-8", "replace"))
    finally:
        if own:
            connection.close()
