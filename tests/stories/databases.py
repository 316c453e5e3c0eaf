"""A MariaDB or PostgreSQL server of a story's own: from Debian's packages, on a free port of loopback, in a folder that is
removed with it. Started as the package's user where the server refuses root. Needs neither systemd nor a network.
"""
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from house import end_with_parent

START_SECONDS = 60
POLL_SECONDS = 0.1
DATABASE, USER, PASSWORD = "pinterest_data", "project_user", ":t%yCY3 @/x"  # as awkward as real ones
QUOTED = "%3At%25yCY3%20%40%2Fx"  # the same in a DSN


def program(name):
    """Its path, also where Debian puts servers outside a user's PATH; None when it is not installed."""
    places = [os.environ.get("PATH", ""), "/usr/sbin", *sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)]
    return shutil.which(name, path=os.pathsep.join(places))


class Database:
    """Running when it is made; `dsn`, `wrong_dsn` and `creds` (the keys of a db_creds.yaml) say how it is reached."""

    def __init__(self, kind, folder):
        self.log = os.path.join(folder, f"{kind}.log")
        self.server = None
        self.user = {"mariadb": "mysql", "postgres": "postgres"}[kind] if os.getuid() == 0 else None
        self.home = tempfile.mkdtemp(prefix=f"pinpipe-{kind}-")
        if self.user:
            account = pwd.getpwnam(self.user)
            os.chown(self.home, account.pw_uid, account.pw_gid)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        try:
            ready = self.start_mariadb() if kind == "mariadb" else self.start_postgres()
            self.wait(ready)
        except BaseException:
            self.close()
            raise
        self.dsn = f"{'mysql' if kind == 'mariadb' else 'postgres'}://{USER}:{QUOTED}@127.0.0.1:{self.port}/{DATABASE}"
        self.wrong_dsn = self.dsn.replace(QUOTED, "wrong")
        self.creds = (f"HOST: 127.0.0.1\nUSER: {USER}\nPASSWORD: '{PASSWORD}'\nDATABASE: {DATABASE}\nPORT: {self.port}\n"
                      + ("" if kind == "mariadb" else "DATABASE_TYPE: postgresql\n"))

    @staticmethod
    def installed(kind):
        return all(program(name) for name in
                   {"mariadb": ("mariadbd", "mariadb-install-db", "mariadb-admin"),
                    "postgres": ("postgres", "initdb", "pg_isready")}[kind])

    def run(self, command, **more):
        with open(self.log, "ab") as log:
            subprocess.run(command, stdout=log, stderr=log, cwd=self.home, user=self.user, group=self.user, check=True,
                           timeout=START_SECONDS, extra_groups=[] if self.user else None, **more)

    def serve(self, command):
        with open(self.log, "ab") as log:
            self.server = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.home, user=self.user,
                                           group=self.user, extra_groups=[] if self.user else None,
                                           preexec_fn=end_with_parent)

    def start_mariadb(self):
        data = os.path.join(self.home, "data")
        self.run([program("mariadb-install-db"), "--no-defaults", f"--datadir={data}", "--skip-test-db",
                  "--skip-name-resolve", "--auth-root-authentication-method=normal"])
        first = os.path.join(self.home, "first.sql")
        with open(first, "w", encoding="utf-8") as file:
            file.write(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4;\n"
                       f"CREATE USER '{USER}'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n"
                       f"GRANT ALL ON {DATABASE}.* TO '{USER}'@'127.0.0.1';\n")
        os.chmod(first, 0o644)
        self.serve([program("mariadbd"), "--no-defaults", f"--datadir={data}", f"--port={self.port}",
                    "--bind-address=127.0.0.1", f"--socket={self.home}/s", f"--pid-file={self.home}/pid",
                    f"--init-file={first}", "--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0"])
        return [program("mariadb-admin"), "--no-defaults", "--protocol=tcp", "-h", "127.0.0.1", "-P", str(self.port),
                "-u", USER, f"--password={PASSWORD}", "ping"]

    def start_postgres(self):
        data, secret = os.path.join(self.home, "data"), os.path.join(self.home, "secret")
        with open(secret, "w", encoding="utf-8") as file:
            file.write(PASSWORD + "\n")
        os.chmod(secret, 0o644)
        self.run([program("initdb"), "-D", data, "-U", USER, f"--pwfile={secret}", "--auth=scram-sha-256", "-E", "UTF8",
                  "--locale=C", "--no-sync"])
        self.run([program("postgres"), "--single", "-D", data, "postgres"],
                 input=f"CREATE DATABASE {DATABASE};\n".encode())
        self.serve([program("postgres"), "-D", data, "-p", str(self.port), "-h", "127.0.0.1", "-k", self.home, "-F"])
        return [program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port), "-d", DATABASE]

    def wait(self, ready):
        deadline = time.monotonic() + START_SECONDS
        while subprocess.run(ready, capture_output=True, check=False).returncode != 0:
            if self.server.poll() is not None or time.monotonic() > deadline:
                with open(self.log, encoding="utf-8", errors="replace") as file:
                    raise OSError("the database did not start:\n" + file.read()[-2000:])
            time.sleep(POLL_SECONDS)

    def close(self):
        if self.server:
            self.server.send_signal(signal.SIGQUIT if self.server.args[0].endswith("postgres") else signal.SIGKILL)
            try:
                self.server.wait(10)
            except subprocess.TimeoutExpired:
                self.server.kill()
                self.server.wait()
        shutil.rmtree(self.home, ignore_errors=True)
