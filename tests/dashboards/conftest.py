"""Publications to look at, and the pages that look at them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from oms.reports.published import Publication, Publications
from tests import console
from tests.conftest import Clone
from tests.dashboards.published import publish

Page = Callable[..., AppTest]
Truth = Callable[..., list[tuple[object, ...]]]
APP = Path(__file__).parents[2] / "dashboards" / "app.py"

VIEWS = sorted(
    path.stem
    for path in (Path(__file__).parents[2] / "dashboards" / "views").glob("*.py")
    if path.stem != "__init__"
)


def draw(view: str) -> None:
    """Draw one page, as the navigation would; the source of this is all the app there is."""
    import importlib

    importlib.import_module(f"dashboards.views.{view}").render()


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hold a publication of a small retailer."""
    folder = tmp_path_factory.mktemp("home")
    publish(folder / "published")
    return folder


@pytest.fixture(scope="session")
def large_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hold 200,000 sales events of 12,000 products."""
    folder = tmp_path_factory.mktemp("large")
    publish(folder / "published", orders=112_000, products=12_000)
    return folder


@pytest.fixture(scope="session")
def unsold_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hold a publication whose tables are empty."""
    folder = tmp_path_factory.mktemp("unsold")
    publish(folder / "published", orders=0)
    return folder


@pytest.fixture
def publication(home: Path) -> Publication:
    return Publications(home / "published").current()


@pytest.fixture
def truth(home: Path) -> Truth:
    """Ask the published file by SQL of the test's own."""

    def ask(sql: str, *parameters: object) -> list[tuple[object, ...]]:
        connection = duckdb.connect(":memory:")
        path = next((home / "published").glob("*.duckdb"))
        connection.execute(f"attach '{path}' as marts (read_only)")
        connection.execute("use marts.marts")
        rows: list[tuple[object, ...]] = connection.execute(sql, list(parameters)).fetchall()
        connection.close()
        return rows

    return ask


@pytest.fixture
def page(home: Path, monkeypatch: pytest.MonkeyPatch) -> Page:
    """Open a page on a home, with the parameters of its URL."""

    def opened(view: str, at_home: Path = home, **url: str | list[str]) -> AppTest:
        monkeypatch.setenv("OMS_HOME", str(at_home))
        app = AppTest.from_function(draw, kwargs={"view": view}, default_timeout=30)
        for name, values in url.items():
            app.query_params[name] = values
        return app.run()

    return opened


@pytest.fixture(scope="session")
def counter(
    clone: Clone, blank: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[console.Counter]:
    """Serve a shop with many orders."""
    home = tmp_path_factory.mktemp("console")
    with clone(blank) as ledger, console.serving(ledger, home, orders_count=300) as served:
        yield served


@pytest.fixture(scope="session")
def quiet_counter(
    clone: Clone, blank: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[console.Counter]:
    """Serve a shop nobody has bought anything in."""
    home = tmp_path_factory.mktemp("quiet")
    with clone(blank) as ledger, console.serving(ledger, home) as served:
        yield served


@pytest.fixture
def screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Page:
    """Open a page of the console, signed in as a role unless the test says nobody is."""

    def opened(
        name: str, at: console.Counter, role: str | None = "admin", **url: str | list[str]
    ) -> AppTest:
        monkeypatch.setenv("OMS_HOME", str(tmp_path))
        monkeypatch.setenv("OMS_API_PORT", str(at.port))
        app = AppTest.from_file(str(APP), default_timeout=30)
        app._page_hash = calc_hash(name)
        if role is not None:
            app.session_state["api_key"] = at.keys[role]
        for parameter, values in url.items():
            app.query_params[parameter] = values
        return app.run()

    return opened
