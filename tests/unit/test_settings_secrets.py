"""Secrets of payment services: from a variable or a file, and never in what is written down."""

from pathlib import Path

import pytest

from oms.settings import Settings


def test_come_from_a_file_where_no_variable_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "oms_stripe_key").write_text("sk_file\n")
    (tmp_path / "oms_adyen_key").write_text("file")
    monkeypatch.setenv("OMS_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("OMS_ADYEN_KEY", "variable")
    settings = Settings()
    assert settings.stripe_key is not None
    assert settings.adyen_key is not None
    assert settings.stripe_key.get_secret_value() == "sk_file"
    assert settings.adyen_key.get_secret_value() == "variable"
    assert "sk_file" not in f"{settings!r} {settings}"


def test_are_none_unless_somebody_gives_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMS_SECRETS_DIR", raising=False)
    assert (Settings().stripe_key, Settings().adyen_key) == (None, None)
