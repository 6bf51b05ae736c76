"""GTINs: the check digit finds a wrong digit and most swapped ones."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from oms.catalog.model import GTIN_LENGTHS, is_gtin


def with_check_digit(body: str) -> str:
    """Append the check digit, computed as GS1 prints it: from the right, three, one, three…"""
    total = sum(int(digit) * weight for digit, weight in zip(body[::-1], [3, 1] * 9, strict=False))
    return body + str(-total % 10)


@st.composite
def gtins(draw: st.DrawFn) -> str:
    """Any valid GTIN."""
    length = draw(st.sampled_from(sorted(GTIN_LENGTHS)))
    digits = st.text("0123456789", min_size=length - 1, max_size=length - 1)
    return with_check_digit(draw(digits))


class TestIsGtin:
    @pytest.mark.parametrize(
        "gtin", ["4006381333931", "96385074", "036000291452", "10614141000415", "0000000000000"]
    )
    def test_it_knows_real_ones(self, gtin: str) -> None:
        assert is_gtin(gtin)

    @pytest.mark.parametrize(
        "text",
        ["", "4006381333932", "400638133393", "40063813339310", "4006381333931 ", "400638133393x",
         "-4006381333931", "٤٠٠٦٣٨١٣٣٣٩٣١", "4006381333931\n", "1" * 100, "²" * 8, "9638507\uff14"],
    )  # fmt: skip
    def test_it_refuses_what_is_none(self, text: str) -> None:
        assert not is_gtin(text)

    @given(gtins())
    def test_it_takes_every_right_check_digit(self, gtin: str) -> None:
        assert is_gtin(gtin)

    @given(gtins(), st.data())
    def test_it_finds_every_single_wrong_digit(self, gtin: str, data: st.DataObject) -> None:
        place = data.draw(st.integers(0, len(gtin) - 1))
        wrong = data.draw(st.sampled_from("0123456789"))
        assume(wrong != gtin[place])
        assert not is_gtin(gtin[:place] + wrong + gtin[place + 1 :])
