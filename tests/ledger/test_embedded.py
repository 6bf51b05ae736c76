"""The embedded PostgreSQL: started once by whoever comes first, and hard to kill."""

import ctypes
import os
import pwd
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from oms.ledger import embedded
from oms.ledger.database import Ledger, LedgerAway
from oms.ledger.embedded import ServerFailed

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
IS_ROOT = os.geteuid() == 0
STARTER = (
    "import sys; from pathlib import Path; from oms.ledger import embedded;"
    " print(embedded.start(Path(sys.argv[1])).pid)"
)


def start_in_processes(data: Path, count: int) -> list[str]:
    """Start a server from several processes at once; return what each says its process is."""

    def start() -> str:
        return subprocess.run(
            [sys.executable, "-c", STARTER, str(data)], check=True, capture_output=True, text=True,
            timeout=120, cwd=Path(__file__).parents[2],
        ).stdout.strip()  # fmt: skip

    with ThreadPoolExecutor(count) as pool:
        return [future.result() for future in [pool.submit(start) for _ in range(count)]]


def kill(server: embedded.Server) -> int:
    """Kill a server as nothing can refuse; return what its process was, once it is gone."""
    assert server.pid is not None
    process = psutil.Process(server.pid)
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    return process.pid


@contextmanager
def no_reaper() -> Iterator[None]:
    """Be the first process of a container: orphans are ours, and we do not look after them."""
    process = ctypes.CDLL(None, use_errno=True)
    assert process.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    try:
        yield
    finally:
        process.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


@contextmanager
def living(server: embedded.Server) -> Iterator[int]:
    """Run a program that is no server under the server's account; give its number."""
    uid = pwd.getpwnam(server.account).pw_uid if server.account else None
    process = subprocess.Popen(["cat"], stdin=subprocess.PIPE, user=uid)
    try:
        yield process.pid
    finally:
        process.kill()
        process.communicate()


def socket_locks(data: Path) -> list[Path]:
    """Return the lock files beside the socket of a data folder."""
    return list(embedded.server_at(data).socket_dir.glob("*.lock"))


def connects(server: embedded.Server, uid: int) -> bool:
    """Tell whether an account gets through to the server's socket."""
    code = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    path = server.socket_dir / ".s.PGSQL.5432"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, str(path)], check=False, capture_output=True, text=True,
        user=uid, group=uid, extra_groups=[], cwd="/",
    )  # fmt: skip
    assert done.returncode == 0 or "PermissionError" in done.stderr, done.stderr
    return done.returncode == 0


@contextmanager
def computing(server: embedded.Server) -> Iterator[psutil.Process]:
    """Let a process of the server compute for longer than anybody waits; give the process."""
    engine = create_engine(server.url)
    work = text("select sum(hashint8(n)) from generate_series(1, 10000000000) n")
    with ThreadPoolExecutor(1) as pool, engine.connect() as busy, engine.connect() as looking:
        number = busy.execute(text("select pg_backend_pid()")).scalar_one()
        backend = psutil.Process(number)
        ended = pool.submit(busy.execute, work)
        asked = text(f"select state from pg_stat_activity where pid = {number}")
        while looking.execute(asked).scalar() != "active":
            looking.rollback()
        try:
            yield backend
        finally:
            with suppress(psutil.Error):
                backend.kill()
            assert isinstance(ended.exception(30), DBAPIError)
            busy.invalidate()
            looking.invalidate()
    engine.dispose()


def is_alive(process: psutil.Process) -> bool:
    """Tell whether a process runs; a dead one nobody has reaped does not."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def kept(server: embedded.Server) -> list[int]:
    """Return what the tests wrote into a server."""
    ledger = Ledger(server.url)
    with ledger.snapshot() as tx:
        found = list(tx.execute(text("select n from kept order by n")).scalars())
    ledger.close()
    return found


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """Give a folder for the server of this module."""
    with tempfile.TemporaryDirectory(prefix="oms-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture(scope="module")
def data(home: Path) -> Iterator[Path]:
    """Start one server from several processes at once, for all tests here, with a row in it."""
    folder = home / "pg"
    try:
        told = start_in_processes(folder, 4)
        assert len(set(told)) == 1, told
        assert told[0].isdigit()
        ledger = Ledger(embedded.server_at(folder).url)
        with ledger.transaction() as tx:
            tx.execute(text("create table kept (n integer)"))
            tx.execute(text("insert into kept values (1)"))
        ledger.close()
        yield folder
    finally:
        embedded.stop(folder)


@pytest.fixture
def server(data: Path) -> embedded.Server:
    """Give the server, running."""
    return embedded.start(data)


class TestStart:
    def test_a_running_server_is_taken_as_it_is(self, server: embedded.Server, data: Path) -> None:
        pid = server.pid
        assert embedded.start(data).pid == pid
        assert kept(server) == [1]

    def test_what_was_acknowledged_survives_a_kill(
        self, server: embedded.Server, data: Path
    ) -> None:
        for number in (2, 3):
            ledger = Ledger(server.url)
            with ledger.transaction() as tx:
                tx.execute(text("insert into kept values (:n)"), {"n": number})
            pid = kill(server)
            server = embedded.start(data)
            assert server.pid != pid
            # The same pool finds the new server by itself.
            with ledger.transaction() as tx:
                tx.execute(text("delete from kept where n < :n and n > 1"), {"n": number})
            ledger.close()
            assert kept(server) == [1, number]
        ledger = Ledger(server.url)
        with ledger.transaction() as tx:
            tx.execute(text("delete from kept where n > 1"))
        ledger.close()

    def test_after_a_kill_many_processes_start_one(
        self, server: embedded.Server, data: Path
    ) -> None:
        kill(server)
        assert len(set(start_in_processes(data, 3))) == 1
        assert kept(server) == [1]

    @pytest.mark.skipif(sys.platform != "linux", reason="containers are Linux")
    def test_it_starts_over_a_dead_server_nobody_buried(self, short_dir: Path) -> None:
        folder = short_dir / "pg"
        with no_reaper():
            pid = embedded.start(folder).pid
            assert pid is not None
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
                assert embedded.start(folder).pid not in {pid, None}
            finally:
                os.waitpid(pid, 0)
                embedded.stop(folder)

    def test_it_starts_over_what_a_dead_server_still_computes(self, short_dir: Path) -> None:
        folder = short_dir / "pg"
        try:
            running = embedded.start(folder)
            with computing(running) as backend:
                kill(running)
                assert is_alive(backend), "it looks up from its work at nothing but its end"
                assert embedded.start(folder).pid is not None
                assert not is_alive(backend)
        finally:
            embedded.stop(folder)

    def test_the_number_of_a_dead_server_bars_no_way_when_another_has_it(
        self, short_dir: Path
    ) -> None:
        folder = short_dir / "pg"
        try:
            pid = kill(embedded.start(folder))
            with living(embedded.server_at(folder)) as other:
                for file in (folder / "postmaster.pid", *socket_locks(folder)):
                    file.write_text(file.read_text().replace(f"{pid}\n", f"{other}\n", 1))
                assert embedded.start(folder).pid not in {pid, other, None}
                assert psutil.pid_exists(other)
        finally:
            embedded.stop(folder)

    def test_it_speaks_to_nobody_over_the_network(self, server: embedded.Server) -> None:
        assert server.pid is not None
        found = psutil.Process(server.pid).net_connections(kind="inet")
        assert [each for each in found if each.status == psutil.CONN_LISTEN] == []

    def test_other_accounts_do_not_reach_its_socket(self, server: embedded.Server) -> None:
        assert stat.S_IMODE(server.socket_dir.stat().st_mode) & 0o077 == 0

    @pytest.mark.skipif(not IS_ROOT, reason="only root may become another account")
    def test_only_its_own_account_and_root_connect(self, server: embedded.Server) -> None:
        assert server.account is not None
        uid = pwd.getpwnam(server.account).pw_uid
        assert [connects(server, as_uid) for as_uid in (0, uid, uid - 1, 12345)] == [
            True, True, False, False,
        ]  # fmt: skip

    @pytest.mark.parametrize("mode", [0o755, 0o777])
    def test_a_socket_folder_left_open_is_closed(
        self, server: embedded.Server, data: Path, mode: int
    ) -> None:
        kill(server)
        server.socket_dir.chmod(mode)
        embedded.start(data)
        assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700

    @pytest.mark.parametrize(("gib", "mb"), [(0.25, 128), (2, 512), (64, 2048)])
    def test_it_takes_a_quarter_of_the_memory_for_its_pages(self, gib: float, mb: int) -> None:
        assert embedded.buffers_mb(int(gib * 2**30)) == mb

    def test_its_data_is_its_own(self, server: embedded.Server) -> None:
        assert stat.S_IMODE(server.data.stat().st_mode) & 0o077 == 0


class TestStop:
    def test_it_ends_the_server_and_says_so(self, server: embedded.Server, data: Path) -> None:
        ledger, pid = Ledger(server.url), server.pid
        assert pid is not None
        with ledger.snapshot() as tx:
            tx.execute(text("select 1"))
        assert embedded.stop(data)
        with suppress(psutil.NoSuchProcess):
            psutil.Process(pid).wait(30)
        assert embedded.stop(data) is False
        with pytest.raises(LedgerAway), ledger.transaction():
            pass
        with pytest.raises(LedgerAway):
            ledger.run(lambda tx: tx.execute(text("select 1")))
        embedded.start(data)
        with ledger.snapshot() as tx:
            assert list(tx.execute(text("select n from kept")).scalars()) == [1]
        ledger.close()

    def test_of_a_folder_without_a_server_it_does_nothing(self, tmp_path: Path) -> None:
        assert embedded.stop(tmp_path / "pg") is False


class TestFolders:
    def test_a_long_path_has_its_socket_elsewhere(self, short_dir: Path) -> None:
        folder = short_dir / ("a-rather-long-name-" * 8) / "ledger"
        try:
            running = embedded.start(folder)
            assert len(os.fsencode(running.socket_dir)) < 90
            ledger = Ledger(running.url)
            with ledger.snapshot() as tx:
                assert tx.execute(text("select 1")).scalar() == 1
            ledger.close()
        finally:
            embedded.stop(folder)
            with suppress(OSError):
                embedded.server_at(folder).socket_dir.rmdir()

    @pytest.mark.parametrize("squat", ["a link", "a file", "another's folder"])
    def test_a_socket_folder_somebody_else_made_is_refused(
        self, short_dir: Path, monkeypatch: pytest.MonkeyPatch, squat: str
    ) -> None:
        if squat == "another's folder" and not IS_ROOT:
            pytest.skip("only root may give a folder to another account")
        monkeypatch.setattr(tempfile, "tempdir", str(short_dir))
        folder = short_dir / ("a-rather-long-name-" * 8) / "ledger"
        target = short_dir / "target"
        target.mkdir(mode=0o755)
        before = target.stat()
        place = embedded.server_at(folder).socket_dir
        assert place.parent == short_dir
        if squat == "a link":
            place.symlink_to(target)
        elif squat == "a file":
            place.touch()
        else:
            place.mkdir()
            os.chown(place, 12345, 12345)
        with pytest.raises(ServerFailed):
            embedded.start(folder)
        assert (target.stat().st_mode, target.stat().st_uid) == (before.st_mode, before.st_uid)

    @pytest.mark.skipif(not IS_ROOT, reason="only root runs the server as another account")
    def test_as_root_nobodys_folder_is_opened(
        self, short_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(embedded, "SYSTEM_DIR", short_dir / "system")
        private = short_dir / "private"
        (private / "home").mkdir(parents=True)
        private.chmod(0o700)
        (private / "home").chmod(0o750)
        folder = private / "home" / "ledger"
        before = {path: path.stat().st_mode for path in (short_dir, private, private / "home")}
        try:
            running = embedded.start(folder)
            assert {path: path.stat().st_mode for path in before} == before
            assert not running.data.is_relative_to(private)
            assert embedded.start(folder).pid == running.pid
        finally:
            embedded.stop(folder)

    def test_a_half_made_folder_is_made_anew(self, short_dir: Path) -> None:
        folder = short_dir / "pg"
        folder.mkdir()
        (short_dir / "pg.new").mkdir()
        (short_dir / "pg.new" / "PG_VERSION").write_text("18\n")
        try:
            assert embedded.start(folder).pid is not None
        finally:
            embedded.stop(folder)


class TestPid:
    @pytest.mark.parametrize(
        "content",
        [
            "", "\n", "no number\n", f"{os.getpid()}\n", "999999999\n", "0\n", "-1\n",
            f"-{os.getpid()}\n", "9" * 30 + "\n", "9" * 5000 + "\n",
        ],
    )  # fmt: skip
    def test_a_file_that_names_no_server_is_none(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "postmaster.pid").write_text(content)
        found = embedded.Server(data=tmp_path, socket_dir=tmp_path, binaries=tmp_path, account=None)
        assert found.pid is None

    def test_another_server_is_not_this_one(self, server: embedded.Server, tmp_path: Path) -> None:
        (tmp_path / "postmaster.pid").write_text(f"{server.pid}\n")
        found = embedded.Server(data=tmp_path, socket_dir=tmp_path, binaries=tmp_path, account=None)
        assert found.pid is None
