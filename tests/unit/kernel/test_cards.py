"""Numbers of cards in texts: found however people write them, masked to their last four."""

import time

import pytest

from oms.kernel.cards import has_card, mask_cards

VISA = "4111111111111111"


class TestFinding:
    @pytest.mark.parametrize(
        "text",
        [
            VISA, "4111 1111 1111 1111", "4111-1111-1111-1111", "card:4111.1111.1111.1111.",
            "4111 - 1111 - 1111 - 1111", "4111\u00a01111\u00a01111\u00a01111",
            "4111\u20131111\u20131111\u20131111",  # a dash people type
            "3782 822463 10005", "30569309025904", "4222222222222", "6304000000000000000",
            f"x{VISA}y", f"{VISA} 12/27", "4111 1111 1111 1111 123", "12 4111 1111 1111 1111",
            "٤١١١١١١١١١١١١١١١",  # digits are digits in every script
        ],
    )  # fmt: skip
    def test_what_may_be_one_is_found(self, text: str) -> None:
        assert has_card(text)

    @pytest.mark.parametrize(
        "text",
        [
            "", "Call.", "4111111111111112", "4111 1111 1111 1112", "R100000001 and F500000001",
            "+31 6 1234 5678", "411111111111", f"{VISA}{VISA}", "0000 0000 0000 0000",
            "4111 1111\n1111 1111", "4111  1111  1111  1111 two blanks".replace("  ", " x "),
        ],
    )  # fmt: skip
    def test_what_is_none_is_not(self, text: str) -> None:
        assert not has_card(text)

    def test_a_text_of_digits_takes_no_time(self) -> None:
        begun = time.process_time()
        has_card("1 " * 5_000)
        has_card("1" * 10_000)
        assert time.process_time() - begun < 1


class TestMasking:
    def test_the_last_four_stay_and_so_does_the_rest(self) -> None:
        text = f"Pay 4111 1111 1111 1111, not {VISA}; order 100000001."
        assert mask_cards(text) == "Pay xxxx xxxx xxxx 1111, not xxxxxxxxxxxx1111; order 100000001."

    def test_what_is_masked_holds_none(self) -> None:
        assert not has_card(mask_cards("12 4111 1111 1111 1111 123"))

    def test_a_text_without_any_stays(self) -> None:
        assert mask_cards("Ring twice ☎") == "Ring twice ☎"
