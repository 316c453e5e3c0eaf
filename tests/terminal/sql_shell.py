"""`pinpipe sql` as a person has it at a terminal: several lines, history, completion, pager, Ctrl-C, charts, --watch."""
import argparse
import codecs
import fcntl
import os
import pty
import re
import select
import signal
import stat
import struct
import sys
import tempfile
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "stories"))
from house import House  # noqa: E402

WAIT_SECONDS = 30
ROWS, COLUMNS = 24, 100
UP, TAB, CTRL_C, CTRL_D = "\x1b[A", "\t", "\x03", "\x04"
PROMPT, MORE = "pinpipe> ", "    ...> "


class Terminal:
    """A program on a pseudo terminal; what it shows is waited for, never slept for."""

    def __init__(self, command, environment):
        self.raw = ""      # all that it wrote
        self.lines = [""]  # the same as it is seen: the line editor moves about in the last one
        self.column = 0
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.mark = (0, 0)  # up to there it has been waited for
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # As a terminal starts its programs, whatever the test's own parent ignored.
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
            os.execvpe(command[0], command, environment)

    def type(self, text):
        os.write(self.fd, text.encode())

    def seen(self):
        """What came since the last text that was waited for."""
        line, column = self.mark
        return "\n".join([self.lines[line][column:], *self.lines[line + 1:]])

    def show(self, text):
        self.raw += text
        for sign in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b.|[^\x1b]", text, re.DOTALL):
            line = self.lines[-1]
            count = int(re.search(r"\d*", sign[2:])[0] or 1) if sign.startswith("\x1b[") else 1
            if sign == "\n":
                self.lines.append("")
                self.column = 0
            elif sign == "\r":
                self.column = 0
            elif sign == "\b" or sign.endswith("D") and sign.startswith("\x1b["):
                self.column = max(0, self.column - count)
            elif sign.startswith("\x1b[") and sign.endswith("C"):
                self.column += count
            elif sign in ("\x1b[K", "\x1b[J"):
                self.lines[-1] = line[:self.column]
            elif not sign.startswith("\x1b") and sign.isprintable():
                self.lines[-1] = line[:self.column].ljust(self.column) + sign + line[self.column + 1:]
                self.column += 1

    def read_for(self, seconds):
        """Whether something came."""
        if not select.select([self.fd], [], [], max(0, seconds))[0]:
            return False
        try:
            self.show(self.decoder.decode(os.read(self.fd, 65536)))
        except OSError:
            raise AssertionError(f"the program ended; there was {self.seen()[-500:]!r}") from None
        return True

    def wait_for(self, text):
        deadline = time.monotonic() + WAIT_SECONDS
        while text not in self.seen():
            if not self.read_for(deadline - time.monotonic()):
                raise AssertionError(f"{text!r} did not come; there was {self.seen()[-500:]!r}")
        seen = self.seen()
        come = seen[:seen.index(text) + len(text)]
        line, column = self.mark
        rows = come.split("\n")
        self.mark = (line + len(rows) - 1, len(rows[-1]) + (column if len(rows) == 1 else 0))

    def wait_for_line(self, text):
        """The line that is being edited."""
        deadline = time.monotonic() + WAIT_SECONDS
        while self.lines[-1].rstrip() != text:
            if not self.read_for(deadline - time.monotonic()):
                raise AssertionError(f"{text!r} did not come; the line is {self.lines[-1]!r}")

    def end(self):
        """Its exit code."""
        try:
            while chunk := os.read(self.fd, 65536):
                self.show(self.decoder.decode(chunk))
        except OSError:
            pass
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def several_lines_and_history(shell):
    shell.wait_for(PROMPT)
    shell.type("select 41 + 1 as answer, -- a remark\n")
    shell.wait_for(MORE)
    shell.type("\n")  # an empty line, as in SQL that was pasted, gives up nothing
    shell.wait_for(MORE)
    shell.type("  'two' as other;\n")
    shell.wait_for("answer")
    shell.wait_for("42")
    shell.wait_for(PROMPT)
    shell.type(UP)
    shell.wait_for_line(PROMPT + "select 41 + 1 as answer, 'two' as other;")
    shell.type("\n")
    shell.wait_for("42")
    shell.wait_for(PROMPT)


def completion_and_giving_up(shell):
    shell.type("SEL" + TAB)
    shell.wait_for("SELECT ")
    shell.type("count(*) from clean.p" + TAB)
    shell.wait_for("clean.pin ")
    shell.type(CTRL_C)
    shell.wait_for("^C")
    shell.wait_for(PROMPT)
    for _ in range(200):  # a key that comes while the shell is not waiting for one counts too
        shell.type("SEL" + TAB)
        shell.wait_for("SELECT ")
        shell.type(CTRL_C)
        shell.wait_for("^C")
        shell.wait_for(PROMPT)
    shell.type("select 1,\n")
    shell.wait_for(MORE)
    shell.type(CTRL_C)
    shell.wait_for(PROMPT)
    shell.type("select 'anew' as begun;\n")
    shell.wait_for("anew' as begun;")
    shell.wait_for("anew")
    shell.wait_for(PROMPT)


def ctrl_c_gives_up_a_query(shell):
    shell.type("select count(*) from range(100000000000) as a;\n")
    shell.wait_for("as a;")
    deadline = time.monotonic() + WAIT_SECONDS
    while "given up" not in shell.seen():
        expect(time.monotonic() < deadline, f"the query goes on; there was {shell.seen()[-500:]!r}")
        if not shell.read_for(0.5):  # the line is taken, the query under way
            shell.type(CTRL_C)
    shell.wait_for(PROMPT)
    shell.type("select 'on we ' || 'go' as next;\n")
    shell.wait_for("on we go")
    shell.wait_for(PROMPT)


def errors_leave_the_shell(shell):
    shell.type("select nothing_like_it from clean.pni;\n")
    shell.wait_for("did you mean clean.pin?")
    shell.wait_for(PROMPT)
    shell.type("\\nonsense\n")
    shell.wait_for("\\? tells what is")
    shell.wait_for(PROMPT)


def settings(shell):
    shell.type("\\form csv\n")
    shell.wait_for(PROMPT)
    shell.type("select 7 as seven, null as nothing;\n")
    shell.wait_for("seven,nothing\n7,")
    shell.wait_for(PROMPT)
    shell.type("\\form table\n\\chart on\n")
    shell.type("select * from (values ('a', 2), ('b', 4)) as t(name, size);\n")
    shell.wait_for("████")
    shell.wait_for(PROMPT)
    shell.type("\\chart off\n")
    shell.wait_for(PROMPT)


def long_answers_go_to_the_pager(paged):
    with open(paged, encoding="utf-8") as file:
        text = file.read()
    expect(len(text.splitlines()) > 200 and "199" in text, f"the pager got {len(text)} bytes")


def shell_with(house, state, pager):
    environment = dict(os.environ, XDG_STATE_HOME=state, TERM="vt100", PAGER=pager, LC_ALL="C.UTF-8")
    environment["ASAN_OPTIONS"] = "detect_leaks=0"  # libedit keeps two words of its own until the end
    return Terminal(house.command(["sql"]), environment)


def first_shell(house, folder):
    paged = os.path.join(folder, "paged")
    shell = shell_with(house, folder, f"cat > {paged}")
    several_lines_and_history(shell)
    completion_and_giving_up(shell)
    ctrl_c_gives_up_a_query(shell)
    errors_leave_the_shell(shell)
    settings(shell)
    shell.type("select * from range(200);\n")
    shell.wait_for(PROMPT)
    shell.type("\\q\n")
    expect(shell.end() == 0, "\\q ends well")
    long_answers_go_to_the_pager(paged)
    history = os.path.join(folder, "pinpipe", "sql_history")
    expect(stat.S_IMODE(os.stat(history).st_mode) == 0o600, "the history is its owner's alone")


def second_shell(house, folder):
    """Remembers the first; its pager is left after a line of an answer larger than a pipe."""
    shell = shell_with(house, folder, "head -n 1")
    shell.wait_for(PROMPT)
    shell.type(UP)
    shell.wait_for_line(PROMPT + "\\q")
    shell.type(UP)
    shell.wait_for_line(PROMPT + "select * from range(200);")
    shell.type("\x15select repeat('wide ', 20) as w from range(9000);\n")
    shell.wait_for(PROMPT)
    shell.type("select 'still ' || 'here' as it_is;\n")
    shell.wait_for("still here")
    shell.wait_for(PROMPT)
    shell.type(CTRL_D)
    expect(shell.end() == 0, "Ctrl-D ends well")


def shell_without_its_pager(house, folder):
    shell = shell_with(house, folder, "no-such-pager-here")
    shell.wait_for(PROMPT)
    shell.type("select range + 1000 as n from range(100);\n")
    shell.wait_for("1099")
    shell.wait_for(PROMPT)
    shell.type(CTRL_D)
    expect(shell.end() == 0, "Ctrl-D ends well")


def watch(house):
    query = "select 'tick' as clock"
    once = Terminal(house.command(["sql", query, "--watch", "10ms", "--times", "2"]), dict(os.environ, TERM="vt100"))
    expect(once.end() == 0, "--watch ends well")
    expect(once.raw.count("\x1b[H\x1b[2J") == 2 and once.raw.count("tick") == 2, f"two screens: {once.raw!r}")
    endless = Terminal(house.command(["sql", query, "--watch", "10ms"]), dict(os.environ, TERM="vt100"))
    for _ in range(3):
        endless.wait_for("tick")
    endless.type(CTRL_C)
    expect(endless.end() in (-signal.SIGINT, 128 + signal.SIGINT), "Ctrl-C ends --watch")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--pinpipe", required=True)
    binary = os.path.abspath(arguments.parse_args().pinpipe)
    with tempfile.TemporaryDirectory() as folder:
        house = House(binary, folder)
        started = house.start([])
        expect(started.code == 0, started.err)
        try:
            expect(house.cli(["run"]).code == 0, "a run over an empty bucket makes the tables")
            first_shell(house, folder)
            second_shell(house, folder)
            shell_without_its_pager(house, folder)
            watch(house)
        finally:
            ended = house.end(signal.SIGTERM)
        expect(ended.code == 0, ended.err)
        # Without a server the shell opens the house itself.
        shell_without_its_pager(house, folder)
    print("the shell does what it says")


main()
