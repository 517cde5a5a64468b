"""Write and read Mapbox vector tiles by hand: tests need some without a database, and see what a tile holds."""

import math
import struct

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


def _numbers(data):
    """Yield the varints of a packed field."""
    number = shift = 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield number
            number = shift = 0


def _fields(data):
    """Yield (field number, value) of a message: ints, or bytes for everything with a length."""
    at = 0

    def varint_here():
        nonlocal at
        number = shift = 0
        while True:
            byte = data[at]
            at += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    while at < len(data):
        key = varint_here()
        size = {1: 8, 5: 4}.get(key & 7)
        if key & 7 == 0:
            yield key >> 3, varint_here()
            continue
        length = varint_here() if size is None else size
        yield key >> 3, data[at : at + length]
        at += length


def _signed(number):
    return (number >> 1) ^ -(number & 1)


def _value(message):
    ((kind, raw),) = _fields(message)
    if kind == 1:
        return raw.decode()
    if kind in (2, 3):
        return struct.unpack("<f" if kind == 2 else "<d", raw)[0]
    return _signed(raw) if kind == 6 else bool(raw) if kind == 7 else raw


def _parts(data):
    """Return the rings, lines or points of a geometry as lists of (x, y) in units of the tile."""
    numbers, parts, x, y = list(_numbers(data)), [], 0, 0
    at = 0
    while at < len(numbers):
        command, count = numbers[at] & 7, numbers[at] >> 3
        at += 1
        for _ in range(count):
            if command == 7:
                parts[-1].append(parts[-1][0])
                continue
            x, y = x + _signed(numbers[at]), y + _signed(numbers[at + 1])
            at += 2
            if command == 1:
                parts.append([])
            parts[-1].append((x, y))
    return parts


def read_tile(data):
    """Return {layer: [(id, properties, parts)]} of a tile, written apart from what makes tiles."""
    layers = {}
    for _, layer in _fields(data):
        content = list(_fields(layer))
        names = [value.decode() for number, value in content if number == 3]
        values = [_value(value) for number, value in content if number == 4]
        (name,) = (value.decode() for number, value in content if number == 1)
        features = []
        for message in (value for number, value in content if number == 2):
            feature = dict(_fields(message))
            tags = list(_numbers(feature.get(2, b"")))
            properties = {names[key]: values[value] for key, value in zip(tags[::2], tags[1::2], strict=True)}
            features.append((feature.get(1), properties, _parts(feature[4])))
        layers[name] = features
    return layers
