"""Turn drawings into PNG for the forms that hold no vectors: printed as PDF pages, all at once, then drawn."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from layers.briefings.pages import printed
from layers.briefings.paper import Card, Chart, Figure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from layers.briefings.maps import Picture
    from layers.briefings.paper import Block, Paper

_DOTS_PER_MM = 220 / 25.4
_POINTS_PER_MM = 72 / 25.4


def pictures_of(paper: Paper) -> list[Picture]:
    """Return all drawings of a paper in their order."""
    blocks = [*paper.summary, *(block for part in paper.parts for block in part.blocks)]
    figures = [paper.map.picture] if paper.map is not None else []
    return [*figures, *(picture for block in blocks for picture in _of_block(block))]


def _of_block(block: Block) -> Iterator[Picture]:
    if isinstance(block, (Figure, Chart)):
        yield block.picture
    elif isinstance(block, Card) and block.figure is not None:
        yield block.figure.picture


def drawn(pictures: Sequence[Picture]) -> dict[int, bytes]:
    """Draw pictures as PNG at 220 dots an inch.

    Parameters
    ----------
    pictures : sequence of Picture

    Returns
    -------
    dict
        ``id`` of the picture -> PNG.

    Raises
    ------
    MissingResourceError
        If what prints, or a Chinese font, is not on this machine.
    """
    if not pictures:
        return {}
    import pypdfium2

    sizes = "".join(
        f"@page p{number}{{size:{picture.width_mm:g}mm {picture.height_mm:g}mm;margin:0}}.p{number}{{page:p{number}}}"
        for number, picture in enumerate(pictures)
    )
    body = "".join(f'<div class="p{number}">{picture.svg}</div>' for number, picture in enumerate(pictures))
    html = f'<html lang="zh-CN"><style>{sizes}body{{margin:0}}svg{{display:block}}</style>{body}</html>'
    document = pypdfium2.PdfDocument(printed(html).write_pdf())
    try:
        return {id(picture): _png(document, number) for number, picture in enumerate(pictures)}
    finally:
        document.close()


def _png(document: object, number: int) -> bytes:
    page = document[number]  # type: ignore[index]
    image = page.render(scale=_DOTS_PER_MM / _POINTS_PER_MM).to_pil()
    written = io.BytesIO()
    # Few colours: a palette makes the picture a third as large, and loses nothing that print shows.
    image.convert("RGB").quantize(colors=128, dither=0).save(written, "PNG", optimize=False)
    page.close()
    return written.getvalue()
