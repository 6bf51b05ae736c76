"""Guards: what a person got wrong is answered with a sentence that says what to do, and with 1."""

import re
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.cli.conftest import Home

ROOT = Path(__file__).parents[2]
MAPPING = """\
mapping: till
version: 1
documents: orders
file: {format: csv}
order:
  external_ref: Receipt
  placed_at: {column: Time, format: "%Y-%m-%d %H:%M"}
  currency: {constant: EUR}
  fulfillment_method: {constant: carry_out}
  location_code: {constant: S-1}
lines: {line_ref: Line, sku: Article, title: Name, quantity: Qty, total: Total, tax: 0}
products: {title: Name}
"""
CHANNEL = """\
locations:
  - {code: S-1, name: Utrecht, kind: store, country_code: NL, time_zone: Europe/Amsterdam}
channels:
  - code: till
    name: Till
    kind: pos
    currency: EUR
    prices_include_tax: true
    time_zone: Europe/Amsterdam
    adapter: tabular
    adapter_options: {mapping: till.yaml}
    network: [S-1]
"""
HEAD = "Receipt,Line,Time,Article,Name,Qty,Total\n"
GOOD = HEAD + "R-1,1,2026-03-02 10:15,LAMP,Lamp,1,10.00\n"
BAD = HEAD + "R-1,1,02.03.2026,LAMP,Lamp,1,10.00\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "till.yaml").write_text(MAPPING)
    (tmp_path / "till.channel.yaml").write_text(CHANNEL)
    (tmp_path / "good.csv").write_text(GOOD)
    (tmp_path / "bad.csv").write_text(BAD)
    return tmp_path


class TestMappingCheck:
    def test_tells_what_would_come_of_a_sample(self, home: Home, folder: Path) -> None:
        result = home.oms("mapping", "check", folder / "till.yaml", "--sample", folder / "good.csv")
        assert result.exit_code == 0
        assert "1 documents: 1 usable, 0 refused" in result.output

    def test_fails_when_nothing_is_usable(self, home: Home, folder: Path) -> None:
        result = home.oms("mapping", "check", folder / "till.yaml", "--sample", folder / "bad.csv")
        assert result.exit_code == 1
        assert "the mapping's `format:`" in result.output
        assert "No document of the sample is usable." in result.output

    @pytest.mark.parametrize(
        ("mapping", "sample", "sentence"),
        [
            ("till.yaml", "none.csv", "There is no file"),
            ("none.yaml", "good.csv", "there is no readable mapping 'none.yaml'"),
        ],
    )
    def test_says_what_is_not_there(
        self, home: Home, folder: Path, mapping: str, sample: str, sentence: str
    ) -> None:
        result = home.oms("mapping", "check", folder / mapping, "--sample", folder / sample)
        assert (result.exit_code, sentence in result.output) == (1, True)


class TestChannelsAdd:
    def test_makes_the_folder_files_are_dropped_into(self, home: Home, folder: Path) -> None:
        result = home.oms("channels", "add", folder / "till.channel.yaml")
        assert result.exit_code == 0, result.output
        dropped = home.root.resolve() / "drop" / "till"
        assert dropped.is_dir()
        assert str(dropped) in result.output

    @pytest.mark.parametrize(
        ("right", "wrong", "sentence"),
        [
            ("    name: Till\n", "", "channels, entry 1 (till): name is missing."),
            (
                "kind: pos", "kind: shop",
                "channels, entry 1 (till): kind must be one of webshop, pos,",
            ),
            ("kind: store", "kind: shed", "locations, entry 1 (S-1): kind must be one of dc,"),
            ("kind: store", "kind: store, cut_off: 16:00", "cut_off must be a text; quote it"),
            ("kind: store", 'kind: store, cut_off: "25:00"', "cut_off must be a time of day such"),
            ("kind: store", "kind: store, shipping_buffer: -1", "shipping_buffer must be 0 or"),
            ("country_code: NL", "country_code: no", "country_code must be a text;"),
            ("include_tax: true", "include_tax: x", "prices_include_tax must be true or false,"),
            ("currency: EUR", "currency: EURO", "'EURO' is no currency of ISO 4217"),
            ("    name: Till", "    naam: Till", "there is no key 'naam'; there are"),
            ("    time_zone: Europe/Amsterdam", "    time_zone: CEST", "time_zone must be a name"),
            ("adapter: tabular", "adapter: excel", "adapter must be one of canonical, shopify, ta"),
            ("mapping: till.yaml", "mapping: no.yaml", "there is no readable mapping 'no.yaml'"),
            ("network: [S-1]", "network: [S-2]", "network names no location that is known: S-2."),
            (
                "    network:", "    vocabulary: {order_state: {gone: X}}\n    network:",
                "vocabulary.order_state.gone is no state of ours; they are placed, in_progress,",
            ),
            (
                "    network:", "    vocabulary: {states: {placed: X}}\n    network:",
                "vocabulary.states: there are words for order_state, fulfillment_state,",
            ),
            (
                "    network:", "    vocabulary: {order_state: {placed: ' '}}\n    network:",
                "vocabulary.order_state.placed must be a word of 1 to 100 characters.",
            ),
            (
                "    network:", "    vocabulary: {order_state: {placed: 7}}\n    network:",
                "vocabulary.order_state.placed must be a text; quote it",
            ),
            ("network: [S-1]", "network: S-1", "network must be a list of texts"),
        ],
    )  # fmt: skip
    def test_names_entry_and_field_and_registers_nothing(
        self, home: Home, folder: Path, right: str, wrong: str, sentence: str
    ) -> None:
        (folder / "till.channel.yaml").write_text(CHANNEL.replace(right, wrong, 1))
        result = home.oms("channels", "add", folder / "till.channel.yaml")
        assert result.exit_code == 1
        assert sentence in result.output
        with home.system.ledger.snapshot() as tx:
            assert tx.execute(text("select count(*) from channels")).scalar() == 0
            assert tx.execute(text("select count(*) from locations")).scalar() == 0

    def test_wants_entries_in_a_list(self, home: Home, folder: Path) -> None:
        (folder / "till.channel.yaml").write_text("channels: {code: till}")
        result = home.oms("channels", "add", folder / "till.channel.yaml")
        assert (result.exit_code, result.output) == (
            1, "channels: must be a list of entries, each begun with a dash.\n",
        )  # fmt: skip


ENTITY = """
legal_entities:
  - {code: nl, name: Penshop B.V., street: Keizersgracht 1, postcode: 1015 CJ, city: Amsterdam,
     country_code: NL, vat_id: NL123456789B01, payment_terms: Paid., series_prefix: PS,
     language: nl, time_zone: Europe/Amsterdam, channels: {till: on_request}}
"""


class TestLegalEntities:
    def test_are_registered_beside_the_channels_whose_sales_are_theirs(
        self, home: Home, folder: Path
    ) -> None:
        file = folder / "till.channel.yaml"
        file.write_text(file.read_text() + ENTITY)
        result = home.oms("channels", "add", file)
        assert (result.exit_code, "Registered 1 legal entities." in result.output) == (0, True)
        with home.system.ledger.snapshot() as tx:
            found = tx.execute(text(
                "select entity_code, channel_code, policy from legal_entities"
                " join channel_billing using (entity_id) join channels using (channel_id)"
            )).all()  # fmt: skip
        assert found == [("nl", "till", "on_request")]

    @pytest.mark.parametrize(
        ("right", "wrong", "sentence"),
        [
            ("vat_id: NL123456789B01, ", "", "legal_entities, entry 1 (nl): vat_id is missing."),
            ("prefix: PS", "prefix: p-s", "series_prefix must be 1 to 8 letters or digits"),
            ("language: nl", "language: it", "language must be one of nl, de, fr, en"),
            ("code: NL", "code: Holland", "country_code must be two letters"),
            ("till: on_request", "till: never", "channels must be one of on_shipment,"),
            ("till: on_request", "shop: on_request", "there is no channel 'shop'"),
            ("time_zone: Europe/Amsterdam", "time_zone: CEST", "time_zone must be a name"),
            ("series_prefix: PS", "series_prefix: PS, fiscal_year_month: 13", "must be 1 to 12"),
        ],
    )  # fmt: skip
    def test_that_are_wrong_are_named_and_nothing_is_registered(
        self, home: Home, folder: Path, right: str, wrong: str, sentence: str
    ) -> None:
        file = folder / "till.channel.yaml"
        file.write_text(file.read_text() + ENTITY.replace(right, wrong))
        result = home.oms("channels", "add", file)
        assert result.exit_code == 1, result.output
        assert sentence in result.output
        with home.system.ledger.snapshot() as tx:
            assert tx.execute(text("select count(*) from channels")).scalar() == 0

    def test_of_the_example_are_as_they_should_be(self, home: Home) -> None:
        result = home.oms("channels", "add", ROOT / "mappings" / "legal-entity.example.yaml")
        assert result.exit_code == 0, result.output


class TestIngest:
    def test_says_line_and_field_once(self, home: Home, folder: Path) -> None:
        home.oms("channels", "add", folder / "till.channel.yaml")
        result = home.oms("ingest", folder / "bad.csv", "--channel", "till")
        (said,) = [line for line in result.output.splitlines() if "is not a date" in line]
        assert said.startswith('  line 2, Time: "02.03.2026" is not a date like %Y-%m-%d %H:%M')

    def test_stops_at_a_file_that_is_here_already(self, home: Home, folder: Path) -> None:
        home.oms("channels", "add", folder / "till.channel.yaml")
        assert "1 captured" in home.oms("ingest", folder / "good.csv", "--channel", "till").output
        again = home.oms("ingest", folder / "good.csv", "--channel", "till")
        assert again.exit_code == 0
        assert "nothing to do" in again.output
        assert "captured" not in again.output

    def test_fails_with_a_sentence_when_the_mapping_is_gone(
        self, home: Home, folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        home.oms("channels", "add", folder / "till.channel.yaml")
        (folder / "till.yaml").unlink()
        result = home.oms("ingest", folder / "good.csv", "--channel", "till")
        assert result.exit_code == 1
        assert "there is no readable mapping 'till.yaml'" in result.output
        assert caplog.records == []


class TestSample:
    def test_the_commands_of_the_readme_run_as_they_stand(
        self, home: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(ROOT)
        readme = (ROOT / "README.md").read_text()
        commands = re.findall(r"^\$oms ([^#\n]+)", readme, flags=re.MULTILINE)
        ran = [home.oms(*each.split()) for each in commands if not each.startswith("export")]
        assert [result.exit_code for result in ran] == [0, 0, 0], [each.output for each in ran]
        assert "10 rows" in ran[0].output
        assert "7 captured, 0 updated, 0 duplicates, 0 stale, 0 quarantined" in ran[2].output


class TestSentences:
    def test_replay_knows_its_channels(self, home: Home) -> None:
        result = home.oms("replay", "--channel", "nope")
        assert (result.exit_code, result.output) == (1, "there is no channel 'nope'\n")

    @pytest.mark.parametrize(
        ("name", "text_", "sentence"),
        [
            ("API_PORT", "http", "OMS_API_PORT: must be a whole number from 1 to 65535\n"),
            ("API_PORT", "0", "OMS_API_PORT: must be a whole number from 1 to 65535\n"),
            ("REFRESH_SECONDS", "0", "OMS_REFRESH_SECONDS: must be a number above 0 and at most"),
        ],
    )
    def test_a_setting_that_cannot_be_read_is_named(
        self, home: Home, monkeypatch: pytest.MonkeyPatch, name: str, text_: str, sentence: str
    ) -> None:
        monkeypatch.setenv(f"OMS_{name}", text_)
        result = home.oms("status")
        assert (result.exit_code, sentence in result.output) == (1, True)
