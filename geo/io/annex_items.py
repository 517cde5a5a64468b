"""Read what was stolen or destroyed from a sentence of a case list: pairs, lengths, counts, devices."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from geo.io.cells import CellError, read_quantity

_NUMERALS = {character: number for number, character in enumerate("一二三四五六七八九十", start=1)} | {
    "两": 2
}
_COUNT = "(?:[一二两三四五六七八九十]|[0-9]{1,3})"
CABLE = "(?:移动|联通|网通|铁通|电信|电力|广播|电视|有线|军用|通信|通讯|电话){0,3}(?:光电缆|电缆|光缆)(?:线路|线)?"
DEVICES = {
    "变压器": "transformer",
    "蓄电池组": "battery_set",
    "电池组": "battery_set",
    "蓄电池": "battery",
    "电池": "battery",
    "空调室外机": "air_conditioner_outdoor_unit",
    "空调外机": "air_conditioner_outdoor_unit",
    "空调": "air_conditioner",
    "整流模块": "rectifier_module",
    "防盗门": "security_door",
    "门禁系统": "access_control",
}
"""Device as written, the longer word first -> kind of the loss item."""

DEVICE = "|".join(DEVICES)
ACTION = "(?:被|遭)(?:人)?(?:盗窃|盗割|盗走|盗|偷割|偷走|偷|破坏|砸毁|砸坏|砸|毁坏|毁|割断|剪断|割|剪)|盗窃|盗割|盗走|偷走|偷割|割走|失窃|丢失|恶意破坏|破坏|砸毁|毁坏|割断|剪断"
_TAKEN = re.compile("盗|偷|失窃|丢失")

_TOKEN = re.compile(
    rf"(?P<device>{DEVICE})|(?P<cable>{CABLE})|(?P<action>{ACTION})"
    r"|(?P<pairs>(?<![0-9.])[0-9]{1,5}(?=对))对"
    r"|(?P<length>约?(?<![0-9.])[0-9]{1,7}(?:\.[0-9]{1,3})?[余多]?(?:公里|千米|米)(?:余|多|以上|左右)?)"
    rf"|(?P<pieces>(?<![0-9]){_COUNT}(?=[根条]))[根条]"
    rf"|(?P<spans>(?<![0-9]){_COUNT}(?=档))档"
    rf"|(?P<units>(?<![0-9]){_COUNT}(?=[台套块具组个]))[台套块具组个]"
    r"|重(?P<weight>约?[0-9]{1,6}(?:\.[0-9]{1,3})?余?(?:吨|公斤|千克))"
    r"|(?P<rating>[0-9]{1,5}安时|\([^()]{1,30}\))"
    r"|(?P<each>各)|(?P<mark>[,;。])|(?P<and>[、和及与])"
)
_DEVICE_SOON = re.compile(rf"[^,;。、]{{0,30}}?(?:{DEVICE})")
_OF_CABLE = re.compile(rf"长?的?{CABLE}")
_WEIGHTS = {"吨": 1000, "公斤": 1, "千克": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class LossItem:
    """One kind of thing stolen or destroyed.

    Parameters
    ----------
    kind : str
        copper_cable (电缆 counted in pairs), cable (no pairs stated), optical_cable, transformer, ...
    pairs : int or None
        Pairs of one piece.
    length_m : float or None
        Metres of one piece; all pieces together where no count is stated.
    length_qualifier : str or None
        exact, at_least (余) or approx (约).
    count : int or None
        Pieces (根) or devices, where stated.
    weight_kg : float or None
        Of one device.
    spans : int or None
        Spans between poles (档).
    action : str
        stolen or destroyed.
    as_written : str
        From the first to the last word that belongs to it.
    """

    kind: str
    pairs: int | None = None
    length_m: float | None = None
    length_qualifier: str | None = None
    count: int | None = None
    weight_kg: float | None = None
    spans: int | None = None
    action: str
    as_written: str

    @property
    def pair_metres(self) -> float | None:
        """Pairs x metres x pieces, or None where pairs or length are not stated."""
        if self.pairs is None or self.length_m is None:
            return None
        return self.pairs * self.length_m * (self.count or 1)


@dataclass(slots=True)
class _Draft:
    """An item while its words are still coming in."""

    clause: int
    start: int
    end: int
    kind: str | None = None
    pairs: int | None = None
    length_m: float | None = None
    length_qualifier: str | None = None
    count: int | None = None
    weight_kg: float | None = None
    spans: int | None = None

    @property
    def is_device(self) -> bool:
        return self.kind in DEVICES.values()


@dataclass(slots=True)
class _Scan:
    """State of one pass over the words of a sentence."""

    text: str
    drafts: list[_Draft] = field(default_factory=list)
    current: _Draft | None = None
    clause: int = 0
    each: bool = False
    cables: list[tuple[int, int, str]] = field(default_factory=list)
    actions: list[tuple[int, int, str]] = field(default_factory=list)

    def open(self, token: re.Match[str], *, fresh: bool) -> _Draft:
        """Return the item that a word belongs to: the one being read, or a new one."""
        if fresh or self.current is None:
            self.current = _Draft(clause=self.clause, start=self._start(token), end=token.end())
            self.drafts.append(self.current)
        self.current.end = token.end()
        return self.current

    def _start(self, token: re.Match[str]) -> int:
        """Let 光缆被盗割130米 begin with its cable, where nothing else of the clause belongs to that cable."""
        cable = self.cables[-1] if self.cables else None
        is_alone = all(draft.clause != self.clause for draft in self.drafts)
        is_measured = token.lastgroup in {"length", "spans", "pieces"}
        return cable[1] if cable and cable[0] == self.clause and is_alone and is_measured else token.start()

    def take(self, token: re.Match[str]) -> None:
        kind = token.lastgroup or ""
        getattr(self, f"_{kind}")(token)

    def _pairs(self, token: re.Match[str]) -> None:
        now = self.current
        fresh = now is not None and (now.pairs is not None or now.length_m is not None or now.is_device)
        self.open(token, fresh=fresh).pairs = _positive(token["pairs"])

    def _pieces(self, token: re.Match[str]) -> None:
        now = self.current
        fresh = now is not None and (now.count is not None or now.length_m is not None)
        self.open(token, fresh=fresh).count = _positive(token["pieces"])

    def _spans(self, token: re.Match[str]) -> None:
        now = self.current
        self.open(token, fresh=now is not None and now.spans is not None).spans = _positive(token["spans"])

    def _units(self, token: re.Match[str]) -> None:
        now = self.current
        follows_device = now is not None and now.is_device and now.count is None
        # 三个基站, 2个乡镇: a count of something else.
        if follows_device or _DEVICE_SOON.match(self.text, token.end()):
            self.open(token, fresh=not follows_device).count = _positive(token["units"])

    def _weight(self, token: re.Match[str]) -> None:
        written = token["weight"]
        unit = next(unit for unit in _WEIGHTS if unit in written)
        number = float(written.replace(unit, "").strip("约余"))
        self.open(token, fresh=False).weight_kg = _above_zero(number * _WEIGHTS[unit])

    def _rating(self, token: re.Match[str]) -> None:
        if token[0].startswith("(") and self.current is None:
            return
        now = self.current
        self.open(token, fresh=now is not None and now.is_device and token[0].endswith("安时"))

    def _length(self, token: re.Match[str]) -> None:
        quantity = read_quantity(token["length"], family="m")
        lacking = [draft for draft in self.drafts if draft.length_m is None and not draft.is_device]
        if self.each and lacking:
            targets = lacking
        else:
            names_cable = self.current is None and _OF_CABLE.match(self.text, token.end())
            now = self.current or (lacking[-1] if lacking and not names_cable else None)
            if now is None or now.length_m is not None or now.is_device:
                now = self.open(token, fresh=True)
            targets = [now]
        targets[-1].end = token.end()
        for draft in targets:
            draft.length_m = _above_zero(quantity.value)
            draft.length_qualifier = quantity.qualifier

    def _device(self, token: re.Match[str]) -> None:
        now = self.current
        fresh = now is not None and (now.is_device or now.pairs is not None or now.length_m is not None)
        self.open(token, fresh=fresh).kind = DEVICES[token["device"]]

    def _cable(self, token: re.Match[str]) -> None:
        kind = "optical_cable" if "光缆" in token["cable"] else "cable"
        if self.current is None or self.current.is_device:
            self.cables.append((self.clause, token.start(), kind))
            return
        self.current.kind = kind
        self.cables.append((self.clause, token.start(), kind))
        if self.current.length_m is None:
            self.current.end = token.end()

    def _action(self, token: re.Match[str]) -> None:
        action = "stolen" if _TAKEN.search(token[0]) else "destroyed"
        self.actions.append((self.clause, token.start(), action))

    def _each(self, token: re.Match[str]) -> None:  # noqa: ARG002 - every word is taken alike
        self.each = True

    def _and(self, token: re.Match[str]) -> None:  # noqa: ARG002 - every word is taken alike
        self.current = None

    def _mark(self, token: re.Match[str]) -> None:  # noqa: ARG002 - every word is taken alike
        self.current, self.each = None, False
        self.clause += 1


def read_loss_items(text: str) -> tuple[LossItem, ...]:
    """Read the things stolen or destroyed, in the order in which they are written.

    Parameters
    ----------
    text : str
        From the first word about the thing to the first about loss or consequence, without blanks.

    Returns
    -------
    tuple of LossItem
        Empty where no cable or device is named.

    Raises
    ------
    CellError
        ``bad_number`` for a zero, ``no_action`` where nothing says what became of the things.

    Examples
    --------
    >>> [(item.pairs, item.length_m) for item in read_loss_items("300对298米,200对电缆149米被盗割")]
    [(300, 298.0), (200, 149.0)]
    """
    scan = _Scan(text)
    for token in _TOKEN.finditer(text):
        scan.take(token)
    if not scan.drafts and scan.cables:
        clause, start, kind = scan.cables[0]
        written = re.compile(CABLE).match(text, start)
        end = written.end() if written else start
        scan.drafts.append(_Draft(clause=clause, start=start, end=end, kind=kind))
    known = [draft for draft in scan.drafts if _kind_of(draft, scan)]
    if known and not scan.actions:
        raise CellError("no_action", "nothing says whether the things were stolen or destroyed")
    return tuple(_item(draft, scan) for draft in known)


def _positive(text: str) -> int:
    number = _NUMERALS.get(text) or int(text)
    return int(_above_zero(number))


def _above_zero(number: float) -> float:
    if number <= 0:
        raise CellError("bad_number", "a number of things or metres is zero")
    return number


def _kind_of(draft: _Draft, scan: _Scan) -> str | None:
    """Return the kind: named by the item itself, by the next cable of its clause, or by the last one before."""
    kind = draft.kind
    if kind is None:
        following = [
            word for clause, start, word in scan.cables if start >= draft.start and clause == draft.clause
        ]
        before = [word for _, start, word in scan.cables if start < draft.start]
        later = [word for clause, start, word in scan.cables if clause > draft.clause]
        kind = next(iter([*following, *before[::-1], *later]), None)
    if draft.pairs is not None and kind in {None, "cable"}:
        return "copper_cable"
    return kind


def _action_of(draft: _Draft, scan: _Scan) -> str:
    """Return what happened to an item: by its own clause, else by the next that says so, else by the last."""
    own = [(start, word) for clause, start, word in scan.actions if clause == draft.clause]
    if own:
        first_item = min(other.start for other in scan.drafts if other.clause == draft.clause)
        after = [word for start, word in own if start >= draft.start]
        before = [word for start, word in own if start < draft.start]
        # 被盗A、B: the verb stands first and carries on; A被盗、B被毁: it follows its own thing.
        leads = own[0][0] < first_item
        return before[-1] if before and (leads or not after) else after[0]
    later = [word for clause, _, word in scan.actions if clause > draft.clause]
    return later[0] if later else scan.actions[-1][2]


def _item(draft: _Draft, scan: _Scan) -> LossItem:
    return LossItem(
        kind=_kind_of(draft, scan) or "",
        pairs=draft.pairs,
        length_m=draft.length_m,
        length_qualifier=draft.length_qualifier,
        count=draft.count,
        weight_kg=draft.weight_kg,
        spans=draft.spans,
        action=_action_of(draft, scan),
        as_written=scan.text[draft.start : draft.end],
    )
