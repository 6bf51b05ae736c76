"""Papers as PDF: the same contents give the same bytes, with every letter's shape inside."""

from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final

from oms.workflows.papers import Column, Paper

if TYPE_CHECKING:
    from fpdf import FPDF

FACE: Final = "Noto Sans"
MARGIN_MM: Final = 18
ROW_MM: Final = 6.5
CODE_BAR_MM, CODE_MM = 1.0, 14
RULE_GRAY, RULE_MM = 190, 0.2
# Above and below the text of a cell, and beside it: a number's text ends where the next begins.
CELL_PADDING_MM = (0.8, 2.0)
LINE_MM, FOOT_MM = 4.8, 12
TITLE_POINTS, TEXT_POINTS, SMALL_POINTS = 20, 10, 8


class PdfPrinter:
    """Prints papers as PDF, on A4."""

    media_type = "application/pdf"

    def print(self, paper: Paper) -> bytes:
        """Return a paper as PDF."""
        pdf = _blank(paper)
        pdf.set_creation_date(paper.made_at)
        pdf.set_title(f"{paper.title} {paper.number}")
        pdf.set_margins(MARGIN_MM, MARGIN_MM)
        pdf.set_auto_page_break(auto=True, margin=MARGIN_MM)
        # The file holds every weight; reckoning another than its own takes half a minute, so
        # what stands out is larger, not bolder.
        pdf.add_font(FACE, "", _face())
        pdf.add_page()
        _head(pdf, paper)
        _table(pdf, paper.columns, paper.rows)
        _foot(pdf, paper)
        return bytes(pdf.output())


def _blank(paper: Paper) -> "FPDF":
    # Heavy, and asked for by few.
    from fpdf import FPDF

    class Numbered(FPDF):
        def footer(self) -> None:
            """Say at the foot of each page what it is of."""
            self.set_y(-FOOT_MM)
            self.set_font(FACE, size=SMALL_POINTS)
            self.cell(w=0, h=LINE_MM, text=f"{paper.number} · {self.page_no()} / {{nb}}", align="R")

    return Numbered(format="A4")


@cache
def _face() -> str:
    """Return where the face's file lies."""
    folder = resources.files("fontpkg_noto_sans").joinpath("files")
    return str(next(each for each in folder.iterdir() if each.name.startswith("NotoSans[")))


def _head(pdf: "FPDF", paper: Paper) -> None:
    _line(pdf, f"{paper.title}  {paper.number}", TITLE_POINTS, 12)
    if paper.code:
        # Code 39 reads capitals and digits with any scanner; its stars say where it ends.
        pdf.code39(
            f"*{paper.code}*",
            x=pdf.l_margin + pdf.c_margin,
            y=pdf.get_y() + 2,
            w=CODE_BAR_MM,
            h=CODE_MM,
        )
        pdf.ln(CODE_MM + 6)
    for name, value in paper.facts:
        pdf.set_font(FACE, size=SMALL_POINTS)
        pdf.cell(w=40, h=ROW_MM, text=name)
        _line(pdf, value, TEXT_POINTS, ROW_MM)
    pdf.ln(4)


def _table(pdf: "FPDF", columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Lay rows out in columns; the heading comes again on every page."""
    pdf.set_font(FACE, size=TEXT_POINTS)
    pdf.set_draw_color(RULE_GRAY)
    pdf.set_line_width(RULE_MM)
    with pdf.table(
        col_widths=[each.share for each in columns], line_height=LINE_MM,
        padding=CELL_PADDING_MM, v_align="TOP",
        text_align=["RIGHT" if each.is_number else "LEFT" for each in columns],
        borders_layout="HORIZONTAL_LINES", first_row_as_headings=True,
        headings_style=_plain(),
    ) as table:  # fmt: skip
        table.row([each.name for each in columns])
        for row in rows:
            table.row(list(row))


def _plain() -> "object":
    from fpdf.fonts import FontFace  # as above

    return FontFace(size_pt=SMALL_POINTS, emphasis="")


def _foot(pdf: "FPDF", paper: Paper) -> None:
    if paper.remark:
        pdf.ln(4)
        _line(pdf, paper.remark, SMALL_POINTS, ROW_MM)


def _line(pdf: "FPDF", text: str, points: float, height_mm: float) -> None:
    pdf.set_font(FACE, size=points)
    pdf.multi_cell(w=0, h=height_mm, text=text, new_x="LMARGIN", new_y="NEXT", align="L")
