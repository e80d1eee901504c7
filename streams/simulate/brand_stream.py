"""One brand's stream: organic traffic, what an event adds, and a scenario's own cast."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from streams.simulate import rows as r
from streams.simulate.people import Population
from streams.simulate.render import Renderer
from streams.simulate.rhythm import HOUR_S, STEP_S, Season, SlowNoise, draw_times
from streams.simulate.rows import Rows
from streams.simulate.scenarios import Surge, make_plan
from streams.simulate.spec import SimBrand, SimulationSpec, generator
from streams.simulate.voice import Voice

_BLOCK_MENTIONS = 3_000  # drawn together; enough for NumPy to pay off
_MINUTE_S = 60
_MOST_REPOSTS = 60


class BrandStream:
    """Draws one brand's rows, in order of arrival.

    Parameters
    ----------
    spec : SimulationSpec
    brand : SimBrand
    people : Population
    """

    def __init__(self, spec: SimulationSpec, brand: SimBrand, people: Population) -> None:
        self._people = people
        self._voice = Voice(brand, people)
        self.plan = plan = make_plan(spec, brand, self._voice)
        self._rng = generator(spec.seed, brand.id, spec.scenario, "organic")
        self._event_rng = generator(spec.seed, brand.id, spec.scenario, "event")
        self._season = Season(brand)
        self._noise = SlowNoise(spec.noise, self._rng)
        self._done_s = spec.start_s
        hours = max(1, min(24, math.floor(_BLOCK_MENTIONS / plan.rate_per_hour)))
        self._block_s = hours * HOUR_S
        self._roots = r.empty()
        self._waiting = r.in_order(self._arriving(plan.campaign.rows))

    @cached_property
    def renderer(self) -> Renderer:
        """Renders this brand's rows."""
        plan = self.plan
        cast = plan.campaign
        return Renderer(plan.brand, self._people, cast.accounts, cast.links, cast.tags, plan.fixed)

    def take(self, until_s: float) -> Rows:
        """Return the rows that arrive before a time and were not taken yet, in order."""
        drawn = []
        while self._done_s < min(until_s, self.plan.spec.end_s):
            drawn.append(self._draw_block())
        if drawn:
            self._waiting = r.in_order(r.join([self._waiting, *drawn]))
        due = int(np.searchsorted(self._waiting["arrive"], until_s))
        taken, self._waiting = self._waiting[:due], self._waiting[due:]
        return taken

    def _draw_block(self) -> Rows:
        plan, spec = self.plan, self.plan.spec
        begin, end = self._done_s, min(self._done_s + self._block_s, spec.end_s)
        made = [self._organic(begin, end)]
        if plan.surge is not None:
            made.append(self._surge(plan.surge, begin, end))
        made.append(plan.campaign.answers(self._event_rng, made[0], self._voice))
        rows = r.join(made)
        self._done_s = end
        return self._arriving(rows[rows["t"] < spec.end_s])

    def _arriving(self, rows: Rows) -> Rows:
        if self.plan.blindness is not None:
            self.plan.blindness.delay(rows)
        return rows

    def _organic(self, begin: int, end: int) -> Rows:
        """Draw what people say anyway, and its reposts."""
        plan, noise, rng = self.plan, self.plan.spec.noise, self._rng
        edges = np.append(np.arange(begin, end, STEP_S), end)
        middle = (edges[:-1] + edges[1:]) / 2
        rate = plan.rate_per_hour / HOUR_S / (1 + noise.reposts)
        factors = self._noise.factors(len(middle))
        expected = rate * np.diff(edges) * self._season.at(middle) * factors
        if plan.swell is not None:
            expected *= 1 + plan.swell.curve.at(middle)
        times = draw_times(rng, edges, expected, noise.shape)
        draw = rng.random(len(times))
        moods = np.where(draw < plan.negative, 0, np.where(draw < 1 - plan.positive, 1, 2))
        rows = self._voice.compose(rng, times, moods)
        if plan.swell is not None:
            self._talk_of_the_day(rows)
        most = min(_MOST_REPOSTS, 3 + int(plan.rate_per_hour))  # quiet brands draw small crowds
        return r.join([rows, self._voice.amplify(rng, rows, noise.reposts, most)])

    def _talk_of_the_day(self, rows: Rows) -> None:
        swell = self.plan.swell
        if swell is None:
            return
        busy = swell.curve.at(rows["t"].astype(np.float64)) > swell.curve.height / 4
        busy &= (rows["platform"] != r.NEWS) & (self._rng.random(len(rows)) < swell.topic_share)
        told = rows[busy]
        self._voice.say(self._rng, told, swell.topic)
        rows[busy] = told

    def _surge(self, surge: Surge, begin: int, end: int) -> Rows:
        """Draw what an event adds, some of it reposts of its first posts."""
        first = max(begin, int(surge.curve.start_s))
        last = min(end, int(surge.curve.end_s) + 1)
        if first >= last:
            return r.empty()
        rng = self._event_rng
        edges = np.append(np.arange(first, last, _MINUTE_S), last)
        middle = (edges[:-1] + edges[1:]) / 2
        rate = self.plan.rate_per_hour / HOUR_S
        usual = np.maximum(self._season.at(middle), 0.5)
        expected = rate * np.diff(edges) * usual * surge.curve.at(middle)
        times = draw_times(rng, edges, expected, self.plan.spec.noise.shape)
        rows = self._voice.compose(
            rng, times, surge.moods(rng, times), topic=surge.topic, label=surge.label, social=True
        )
        return self._spread(rng, surge, rows)

    def _spread(self, rng: np.random.Generator, surge: Surge, rows: Rows) -> Rows:
        """Turn a share of the rows into reposts of the event's first posts."""
        if len(self._roots) < surge.roots:
            # what is passed on speaks as the event does
            mood = np.bincount(rows["sentiment"]).argmax() if len(rows) else 0
            posts = rows[(rows["platform"] == r.X) & (rows["kind"] == r.POST)]
            posts = posts[posts["sentiment"] == mood]
            missing = surge.roots - len(self._roots)
            self._roots = r.join([self._roots, posts[:missing].copy()])
        if not len(self._roots) or not len(rows):
            return rows
        reposted = rng.random(len(rows)) < surge.repost_share
        weights = 1.0 / np.arange(1, len(self._roots) + 1)
        which = rng.choice(len(self._roots), len(rows), p=weights / weights.sum())
        parents = self._roots[which]
        reposted &= (rows["t"] > parents["t"]) & (rows["platform"] == r.X)
        reposted &= ~np.isin(rows["seq"], self._roots["seq"])
        told = rows[reposted]
        r.repeat_text(told, parents[reposted])
        told["author"] = self._voice.author(rng, told)
        told["views"] = told["likes"] = 0
        rows[reposted] = told
        # who answered a mention that has just become somebody else's repost answers that repost
        first = rows["seq"][0]
        answering = (rows["parent"] >= first) & (rows["kind"] != r.REPOST)
        told = rows[answering]
        r.point_to(told, rows[told["parent"] - first])
        rows[answering] = told
        return rows
