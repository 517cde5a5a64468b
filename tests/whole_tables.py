"""Read a whole file into one table, for tests of small files."""

import io

from geo.io.forms.tables import Table, TableOptions, open_table


def read_table(data, *, file_name):
    """Open a file that has no known words and join its chunks."""
    options = TableOptions(is_known_word=lambda _: False)
    with open_table(io.BytesIO(data), file_name=file_name, options=options) as file:
        chunks = list(file.chunks())
    first = chunks[0]
    shapes = None
    if first.geometries is not None:
        shapes = [shape for chunk in chunks for shape in chunk.geometries or ()]
    return Table(
        form=first.form,
        encoding=first.encoding,
        header=first.header,
        header_row=first.header_row,
        rows=[row for chunk in chunks for row in chunk.rows],
        geometries=shapes,
        rejected=tuple(fault for chunk in chunks for fault in chunk.rejected),
        notices=tuple(fault for chunk in chunks for fault in chunk.notices),
    )
