"""Say what a joint operation changed: before and after by part, what was to be expected anyway, or that nobody can tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from layers.operation_effects_chart import PartRow, effect_chart
from layers.periods import period_text
from layers.shell import render_page
from layers.texts import mark, texts_in

if TYPE_CHECKING:
    from geo.analysis.operation_effects import OperationEffect
    from geo.periods import Period
    from layers.texts import Texts
    from layers.views import Locale

ADDRESS = "/operations"

_HEADLINES = {
    "fell": mark("会战区内案件下降，降幅超出自然回落"),
    "rose": mark("会战区内案件上升，升幅超出偶然"),
    "cannot_tell": mark("无法判断：会战区内案件有没有因会战而变化，看不出来"),
}
_SIGNS = {"fell": "▼", "rose": "▲", "cannot_tell": "?"}
_REASONS = {
    "nothing_before": mark("对比期内，会战区和可比的地方都没有案件。"),
    "too_few_places": mark("可比的地方太少，不知道各处本来相差多少。"),
    "control_too_small": mark("其余地方在对比期内不到5起，算不出大面上的变化。"),
    "too_few": mark("案件太少：会战期间哪怕一起没有，也可能只是碰巧。"),
    "interval_holds_0": mark("扣除自然回落和大面上的变化之后，剩下的可能是零。"),
    "control_changed_too": mark("没有会战的地方同期也明显变了，不能算在会战头上。"),
    "reporting_changed": mark("没有会战的地方减少了一半以上或翻了一倍：可能是登记办法变了，不能拿来比。"),
    "moved_next_door": mark("区外一圈明显上升：案件可能挪到了旁边。"),
    "no_net_fall": mark("算上外圈和其余地方，净变化不是下降。"),
    "no_net_rise": mark("算上外圈和其余地方，净变化不是上升。"),
    "places_too_coarse": mark("位置不够准：在位置误差内重抽，结论经常不同。"),
    "many_without_place": mark("五分之一以上的案件没有位置，不知道在区内还是区外。"),
    "hours_unknown": mark("会战区内过半的案件不知道是不是在会战时段发的。"),
    "longer_than_a_year": mark("会战超过一年，没有上年同期可比。"),
    "before_too_early": mark("对比期早于1949年10月，没有“之前”可比。"),
    "before_not_covered": mark("库里的案件从对比期之后才开始，没有“之前”可比。"),
    "after_not_covered": mark("会战最后一周以前的案件还没有报全，过些时候再看。"),
    "selected_cases": mark("库里是挑选出来挂牌督办的案件，不是全部发案，不能比较前后。"),
}
_NOTES = {"displacement_not_excluded": mark("案件有没有挪到区外，还看不出来：加权转移差的区间含零。")}
_VIEWS = {
    "year_before": mark("与上年同期比"),
    "just_before": mark("与会战前同样长的一段时间比"),
    "in_hours": mark("只看会战时段，与上年同期比"),
}
_WHY_VIEW = {
    "year_before": mark("季节相同，也不是据以选定会战区的那段时间，所以先看这个。"),
    "just_before": mark("季节不同，而且正是据以选定会战区的那段时间，自然回落最大，只作参考。"),
    "in_hours": mark("许多案件不知道是几点发的，只作参考。"),
}
_PARTS = {
    "treated": mark("会战区"),
    "ring": mark("区外一圈"),
    "control": mark("其余地方"),
    "control_zones": mark("对照区"),
    "control_ring": mark("对照区外圈"),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ComparisonShown:
    """One comparison; see `geo.operation_effects.EffectView`."""

    name: str
    before: Period | None
    after: Period
    effect: OperationEffect | None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EffectsView:
    """What ``operation_effects.html`` shows.

    Parameters
    ----------
    operation_id : int
    title : str
    cities : tuple of str
    hours : (int, int) or None
    ring_m : float
    comparisons : tuple of ComparisonShown
        Empty while nobody has computed them: then the page offers to.
    fault : str
        Why nothing can be computed, a sentence for people; may be empty.
    """

    operation_id: int
    title: str = ""
    cities: tuple[str, ...] = ()
    hours: tuple[int, int] | None = None
    ring_m: float = 0.0
    comparisons: tuple[ComparisonShown, ...] = ()
    fault: str = ""

    def in_words(self, locale: Locale) -> dict[str, Any]:
        """Return what the template shows, in one language."""
        say = texts_in(locale)
        cards = [_card(each, self, say) for each in self.comparisons]
        return {
            "address": f"{ADDRESS}/{self.operation_id}/effects?lang={locale}",
            "fault": self.fault,
            "main": cards[0] if cards else None,
            "others": cards[1:],
        }


def render_effects_page(
    view: EffectsView, *, locale: Locale, nonce: str, dataset_title: str, is_demo: bool
) -> str:
    """Render the page ``/operations/{id}/effects``.

    Parameters
    ----------
    view : EffectsView
    locale : {"zh", "en"}
    nonce : str
        Of this answer's content security policy.
    dataset_title : str
    is_demo : bool
    """
    return render_page(
        "operation_effects_page.html",
        locale=locale,
        nonce=nonce,
        here=ADDRESS,
        dataset_title=dataset_title,
        is_demo=is_demo,
        effects=view,
        title=view.title,
        operation_address=f"{ADDRESS}/{view.operation_id}?lang={locale}",
    )


def _card(shown: ComparisonShown, view: EffectsView, say: Texts) -> dict[str, Any]:
    """Put one comparison into words."""
    effect = shown.effect
    verdict = "cannot_tell" if effect is None else effect.verdict
    reasons = (shown.reason,) if shown.reason is not None else () if effect is None else effect.reasons
    card = {
        "name": say(_VIEWS[shown.name]),
        "why": say(_WHY_VIEW[shown.name]),
        "kind": verdict,
        "sign": _SIGNS[verdict],
        "headline": say(_HEADLINES[verdict]),
        "reasons": [say(_REASONS[each]) for each in reasons],
        "notes": [],
        "sentences": [],
        "details": [],
        "rows": [],
        "chart": "",
    }
    if effect is None:
        return card
    return card | {
        "notes": [say(_NOTES[each]) for each in effect.notes],
        "sentences": _sentences(effect, say),
        "details": _details(effect, view, say),
        "rows": _rows(effect, say),
        "chart": _chart(effect, say),
    }


def _sentences(effect: OperationEffect, say: Texts) -> list[str]:
    """Say what was counted, what was to be expected, and what is left."""
    counts = effect.counts
    treated = _counts(effect, "treated")
    sentences = [
        say(
            "会战区内：%(before)s %(count_before)s起，%(after)s（会战期间）%(count_after)s起。",
            before=period_text(effect.before, say.locale),
            after=period_text(effect.after, say.locale),
            count_before=treated["before"],
            count_after=treated["after"],
        )
    ]
    if counts.expected is None or counts.expected_alone is None or counts.trend is None:
        return sentences
    sentences.append(
        say(
            "这些区域是因为案件多才选中的：什么都不做，单凭自然回落，预计约%(alone)s起；"
            "其余地方同期变为原来的%(trend)s，合起来预计%(expected)s起，%(level)s的把握在%(low)s到%(high)s起之间。",
            alone=_number(counts.expected_alone),
            trend=_percent(counts.trend),
            expected=_number(counts.expected),
            level=_percent(effect.level),
            low=counts.expected_low,
            high=counts.expected_high,
        )
    )
    sentences.append(
        say(
            "扣除之后，留给会战的变化是%(left)s起（%(level)s区间%(low)s到%(high)s起）。",
            left=_signed(counts.remaining),
            level=_percent(effect.level),
            low=_signed(counts.remaining_low, decimals=0),
            high=_signed(counts.remaining_high, decimals=0),
        )
    )
    return sentences


def _details(effect: OperationEffect, view: EffectsView, say: Texts) -> list[str]:
    """Say what stands behind the verdict: the weighted difference, how fine it could see, how well places are known."""
    counts, treated = effect.counts, _counts(effect, "treated")
    told = []
    difference = counts.difference
    if difference is not None and difference.z is not None:
        told.append(
            say(
                "加权转移差%(difference)s起，标准误%(error)s，z=%(z)s，%(level)s区间%(low)s到%(high)s："
                "会战区和外圈的变化，减去其余地方按规模折算的变化；没有扣除自然回落。",
                difference=_signed(difference.difference),
                error=_number(difference.standard_error),
                z=_signed(difference.z, decimals=2),
                level=_percent(effect.level),
                low=_signed(difference.low),
                high=_signed(difference.high),
            )
        )
    told += _fineness(effect, say)
    told.append(
        say(
            "在位置和时间的误差内重抽%(draws)s次，%(share)s的时候结论相同。",
            draws=effect.draws,
            share=_percent(effect.stable_share),
        )
    )
    if effect.unsure_share is not None:
        told.append(
            say(
                "可能在区内的案件中，%(share)s也可能在区外（%(unsure)s起，共%(all)s起）。",
                share=_percent(effect.unsure_share),
                unsure=effect.unsure_count,
                all=effect.unsure_count + effect.sure_count,
            )
        )
    unplaced = effect.unplaced_before + effect.unplaced_after
    if unplaced:
        told.append(say("另有%(count)s起没有位置，没有计入。", count=unplaced))
    told.append(
        say(
            "巡逻发现的另计，不参加判断：会战区内%(before)s起，会战期间%(after)s起。",
            before=treated["patrol_before"],
            after=treated["patrol_after"],
        )
    )
    told.append(
        say(
            "区外一圈宽%(ring)s公里；其余地方是%(cities)s除去会战区和外圈；拿%(places)s处可比的地方看各处本来相差多少。",
            ring=f"{view.ring_m / 1000:g}",
            cities=say.listed(view.cities),
            places=effect.comparable_count,
        )
    )
    return told


def _fineness(effect: OperationEffect, say: Texts) -> list[str]:
    """Say which fall could have been seen."""
    share = effect.counts.detectable_share
    if share is not None:
        return [say("按这里的案件数，要降%(share)s以上，才有八成把握看得出来。", share=_percent(share))]
    return [] if effect.counts.expected is None else [say("按这里的案件数，降多少都看不出来。")]


def _counts(effect: OperationEffect, part: str) -> dict[str, int]:
    """Return the counts of one part."""
    columns = ("before", "after", "patrol_before", "patrol_after")
    table = effect.parts
    return {column: int(table[column].to_dict()[part]) for column in columns}


def _rows(effect: OperationEffect, say: Texts) -> list[dict[str, str]]:
    """Return the rows of the table of parts."""
    rows = []
    for name in map(str, effect.parts.index):
        counts = _counts(effect, name)
        rows.append(
            {
                "part": say(_PARTS[name]),
                "before": str(counts["before"]),
                "after": str(counts["after"]),
                "change": _change(counts["before"], counts["after"]),
                "patrol": f"{counts['patrol_before']} → {counts['patrol_after']}",
            }
        )
    return rows


def _chart(effect: OperationEffect, say: Texts) -> Any:
    expected = {
        "expected": effect.counts.expected,
        "low": effect.counts.expected_low,
        "high": effect.counts.expected_high,
    }
    rows = []
    for name in map(str, effect.parts.index):
        counts, label = _counts(effect, name), say(_PARTS[name])
        before, after = counts["before"], counts["after"]
        told = say("%(part)s：%(before)s起变为%(after)s起", part=label, before=before, after=after)
        own = expected if name == "treated" else {}
        rows.append(PartRow(label=label, before=before, after=after, told=told, **own))
    return effect_chart(
        rows,
        before=say("对比期"),
        after=say("会战期间"),
        expected=say("不会战也会有的"),
        caption=say("各部分会战前后的案件数，以对比期为一"),
        scale=say("对比期=100%"),
    )


def _change(before: int, after: int) -> str:
    return "—" if before == 0 else _signed(100 * (after - before) / before, decimals=0) + "%"


def _number(value: float) -> str:
    return f"{value:.1f}"


def _percent(share: float) -> str:
    return f"{share:.0%}"


def _signed(value: float | None, *, decimals: int = 1) -> str:
    """Write a number with its sign, a true minus; 0 has none."""
    text = f"{value or 0.0:+.{decimals}f}"
    return text.lstrip("+-") if float(text) == 0 else text.replace("-", "−")
