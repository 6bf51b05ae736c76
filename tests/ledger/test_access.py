"""API keys: only the right secret, not expired, not revoked, opens anything."""

import stat
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from oms.access import operations, queries
from oms.access.model import ROLES, SCOPES, Caller, NotAuthenticated
from oms.kernel.errors import NotFound, Rejected
from oms.kernel.limits import IDEMPOTENCY_KEY_DAYS_MAX
from oms.ledger.database import Ledger, Tx
from tests.builders import NOW, minutes
from tests.ledger.threads import together


def make(ledger: Ledger, role: str = "agent", **options: object) -> str:
    """Make a key."""
    with ledger.transaction() as tx:
        return operations.make_key(
            tx, "a key", role=role, channel_codes=options.pop("channels", None), at=NOW, **options
        )  # type: ignore[arg-type]  # the options are its own


def caller(ledger: Ledger, key: str, minute: int = 0) -> Caller:
    """Ask who a key belongs to."""
    with ledger.snapshot() as tx:
        return queries.caller(tx, key, at=minutes(minute))


def keep_answer(tx: Tx, key: str, *, at: datetime) -> None:
    """Keep the answer to a request under its idempotency key."""
    tx.execute(
        text(
            "insert into idempotency_keys (owner, route, idempotency_key, request_sha256, status,"
            " response, created_at) values ('o', 'r', :key, '', 201, '{}', :at)"
        ),
        {"key": key, "at": at},
    )


class TestAKey:
    @pytest.mark.parametrize("role", sorted(ROLES))
    def test_it_may_what_its_role_may(self, ledger: Ledger, role: str) -> None:
        assert caller(ledger, make(ledger, role)).scopes == frozenset(ROLES[role])

    def test_it_sees_its_channels_only(self, ledger: Ledger) -> None:
        some = caller(ledger, make(ledger, channels=["web"]))
        none = caller(ledger, make(ledger, channels=[]))
        every = caller(ledger, make(ledger))
        assert [each.may_see("web") for each in (some, none, every)] == [True, False, True]
        assert [each.may_see("till") for each in (some, none, every)] == [False, False, True]

    def test_its_secret_is_nowhere(self, ledger: Ledger) -> None:
        secret = make(ledger).rpartition("_")[2]
        with ledger.snapshot() as tx:
            (row,) = tx.exec_driver_sql("select to_jsonb(k)::text from api_keys k").scalars()
        assert secret not in row
        assert len(bytes.fromhex(secret)) == 32

    def test_two_are_never_the_same(self, ledger: Ledger) -> None:
        assert len({make(ledger) for _ in range(5)}) == 5

    def test_until_it_expires(self, ledger: Ledger) -> None:
        key = make(ledger, expires_at=NOW + timedelta(minutes=5))
        assert caller(ledger, key, 4).role == "agent"
        with pytest.raises(NotAuthenticated):
            caller(ledger, key, 5)

    def test_until_it_is_revoked(self, ledger: Ledger) -> None:
        key, other = make(ledger), make(ledger)
        with ledger.transaction() as tx:
            operations.revoke_key(tx, key.split("_")[1], at=NOW)
        with pytest.raises(NotAuthenticated):
            caller(ledger, key)
        assert caller(ledger, other).role == "agent"

    def test_one_that_is_not_there_is_not_revoked(self, ledger: Ledger) -> None:
        with pytest.raises(NotFound), ledger.transaction() as tx:
            operations.revoke_key(tx, "nobody", at=NOW)

    def test_for_no_role_there_is_none(self, ledger: Ledger) -> None:
        with pytest.raises(Rejected):
            make(ledger, "emperor")

    @pytest.mark.parametrize(
        "bend",
        [
            lambda key: key[:-1] + ("0" if key[-1] != "0" else "1"),
            lambda key: key[:-1], lambda key: key + "0", lambda key: key.upper(),
            lambda key: key.replace("oms_", "omx_"), lambda key: key.rpartition("_")[0],
            lambda key: key.rpartition("_")[0] + "_", lambda key: "oms__" + key.rpartition("_")[2],
            lambda _: "", lambda _: "_", lambda _: "oms__", lambda _: "\ud800",
            lambda _: "x" * 10**5,
            lambda _: "' or '1' = '1",
        ],
    )  # fmt: skip
    def test_anything_else_opens_nothing(self, ledger: Ledger, bend: Callable[[str], str]) -> None:
        key = make(ledger)
        with pytest.raises(NotAuthenticated):
            caller(ledger, bend(key))

    @pytest.mark.parametrize("what", ["\x00", "\ud800", "é", "\u0660", "_", "\n"])
    @pytest.mark.parametrize("part", ["oms", "id", "secret"])
    def test_no_character_of_it_is_a_fault(self, ledger: Ledger, part: str, what: str) -> None:
        parts = dict(zip(("oms", "id", "secret"), make(ledger).split("_"), strict=True))
        for bent in (what, what + parts[part][1:], parts[part][:-1] + what, parts[part] + what):
            with pytest.raises(NotAuthenticated):
                caller(ledger, "_".join((parts | {part: bent}).values()))


class TestForgetAnswers:
    def kept(self, ledger: Ledger) -> list[str]:
        """Return the idempotency keys whose answers are kept."""
        with ledger.snapshot() as tx:
            rows = tx.exec_driver_sql("select idempotency_key from idempotency_keys order by 1")
            return list(rows.scalars())

    def test_it_removes_those_that_had_their_days_and_no_others(self, ledger: Ledger) -> None:
        days = timedelta(days=IDEMPOTENCY_KEY_DAYS_MAX)
        second = timedelta(seconds=1)
        with ledger.transaction() as tx:
            keep_answer(tx, "old", at=NOW - days - second)
            keep_answer(tx, "just not", at=NOW - days)
            keep_answer(tx, "new", at=NOW)
            assert operations.forget_answers(tx, at=NOW) == 1
        assert self.kept(ledger) == ["just not", "new"]

    def test_it_removes_a_part_at_a_time(self, ledger: Ledger) -> None:
        with ledger.transaction() as tx:
            for number in range(5):
                keep_answer(tx, f"k-{number}", at=NOW - timedelta(days=365))
            parts = [operations.forget_answers(tx, at=NOW, rows_max=2) for _ in range(4)]
        assert parts == [2, 2, 1, 0]
        assert self.kept(ledger) == []


class TestRoles:
    def test_they_are_made_of_scopes_there_are(self) -> None:
        assert {scope for scopes in ROLES.values() for scope in scopes} == set(SCOPES)

    def test_only_an_admin_makes_keys(self) -> None:
        assert [role for role, scopes in ROLES.items() if "keys:write" in scopes] == ["admin"]


class TestFirstAdminKey:
    def test_it_is_made_once_and_only_its_owner_reads_it(
        self, ledger: Ledger, tmp_path: Path
    ) -> None:
        path = tmp_path / "home" / "admin.key"

        def first() -> str | None:
            with ledger.transaction() as tx:
                return operations.first_admin_key(tx, path, at=NOW)

        made = [each for each in together([first] * 3) if each is not None]
        assert len(made) == 1
        assert path.read_text().strip() == made[0]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert caller(ledger, str(made[0])).role == "admin"
