"""Settings: typed, frozen, from OMS_* alone, secrets hidden."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsError

from oms.settings import Settings


class TestSettings:
    def test_they_come_from_the_environment(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("OMS_HOME", str(tmp_path))
        monkeypatch.setenv("OMS_API_PORT", "8123")
        settings = Settings()
        assert settings.api_port == 8123
        assert settings.published_dir == tmp_path.resolve() / "published"

    def test_a_relative_home_stays_where_it_was_when_the_folder_changes(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.chdir(tmp_path)
        settings = Settings(home=Path("data"))
        first = settings.root
        monkeypatch.chdir("/")
        assert settings.root == first == tmp_path.resolve() / "data"

    @pytest.mark.parametrize(
        ("name", "text"),
        [("API_PORT", "0"), ("API_PORT", "65536"), ("API_PORT", "http"), ("REFRESH_SECONDS", "0"),
         ("REFRESH_SECONDS", "nan"), ("API_WORKERS", "0"), ("REQUESTS_PER_MINUTE", "600"),
         ("REQUESTS_PER_MINUTE", '{"channel": 0}')],
    )  # fmt: skip
    def test_they_refuse_nonsense(
        self, monkeypatch: pytest.MonkeyPatch, name: str, text: str
    ) -> None:
        monkeypatch.setenv(f"OMS_{name}", text)
        with pytest.raises((ValidationError, SettingsError)):
            Settings()

    def test_they_do_not_change(self) -> None:
        with pytest.raises(ValidationError):
            Settings().api_port = 1  # type: ignore[misc]  # what is refused

    def test_they_do_not_tell_a_password(self) -> None:
        settings = Settings(ledger_url="postgresql://me:hush@db/oms")  # type: ignore[arg-type]  # pydantic wraps it
        assert "hush" not in repr(settings)
        assert "hush" not in str(settings.model_dump())
