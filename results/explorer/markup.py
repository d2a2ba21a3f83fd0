"""The report's blocks as HTML for the explorer.

Every table carries its frame as CSV, so that the page can hand it over in full precision.
"""

from results.report import page
from results.report.blocks import Block, Figure, Section, Table
from results.report.inputs import Inputs


def sections(given: Inputs, place: str) -> list[Section]:
    """contents.sections, imported when first asked for: the first picture needs none of them."""
    from results.report import contents

    return contents.sections(given, place)


def sections_html(sections: list[Section]) -> str:
    return "".join(
        f"<section><h3>{page.escape(section.title)}</h3>{blocks_html(section.blocks)}</section>"
        for section in sections
    )


def blocks_html(blocks: list[Block]) -> str:
    return "\n".join(
        f'<div class="block">{page.markup(block)}{csv(block)}</div>' for block in blocks
    )


def csv(block: Block) -> str:
    """The frame behind a block, for the page to hand over."""
    behind = block.table if isinstance(block, Figure) else block
    if not isinstance(behind, Table) or behind.frame.empty:
        return ""
    text = page.as_json(behind.frame.to_csv(index=False))
    return f'<script type="text/csv" data-name="{page.escape(behind.name)}">{text}</script>'
