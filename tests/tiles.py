"""Write Mapbox vector tiles by hand, for tests that need one without a database."""

import math

EXTENT = 4096


def varint(number):
    out = bytearray()
    while True:
        out.append(number & 0x7F | (0x80 if number > 0x7F else 0))
        number >>= 7
        if not number:
            return bytes(out)


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def number_field(number, value):
    return varint(number << 3) + varint(value)


def on_tile(longitude, latitude, *, z, x, y):
    """Return the place of a point within a tile, in the tile's own units."""
    across = (longitude + 180) / 360 * 2**z
    down = (1 - math.asinh(math.tan(math.radians(latitude))) / math.pi) / 2 * 2**z
    return round((across - x) * EXTENT), round((down - y) * EXTENT)


def zigzag(value):
    return (value << 1) ^ (value >> 31)


def tile(points, *, z, x, y, layer="incidents"):
    """Return a tile of points: each is (longitude, latitude, {name: text})."""
    names, values, features = [], [], b""
    for longitude, latitude, properties in points:
        place = on_tile(longitude, latitude, z=z, x=x, y=y)
        if not all(0 <= step < EXTENT for step in place):
            continue
        tags = b""
        for name, text in properties.items():
            for known, entry in ((names, name), (values, text)):
                if entry not in known:
                    known.append(entry)
                tags += varint(known.index(entry))
        geometry = varint(9) + b"".join(varint(zigzag(step)) for step in place)
        features += field(2, field(2, tags) + number_field(3, 1) + field(4, geometry))
    body = number_field(15, 2) + field(1, layer.encode()) + features
    body += b"".join(field(3, name.encode()) for name in names)
    body += b"".join(field(4, field(1, text.encode())) for text in values)
    return field(3, body + number_field(5, EXTENT))
