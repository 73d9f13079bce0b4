"""A plain reference interpreter: what rfmstream says of one customer, from his events, the rules
and the logged model versions. Written from the documents (docs/segments.md, docs/segmentations.md,
docs/formats.md): the whole history is in memory, everything is computed anew at every event, at
every boundary and at every instant at which silence might change anything. Nothing is shared with
the product but the words of its records.
"""

import bisect
import dataclasses
import math

DAY = 86_400_000
NONE, UNASSIGNED = "none", "Unassigned"
OWN = ("purchase", "return", "late_event")
SPEND_RANK = {"low": 15, "high": 35, "top": 45}  # Of clusters that are described plainly.
UNITS = {"recency": None, "overdue": 1_000, "frequency": 1, "risk": 10**9}  # Money: 10^-4.


# --- Rules ----------------------------------------------------------------------------------------


def duration(text):
    """ "8d", "0s", "1h" in milliseconds."""
    units = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": DAY, "w": 7 * DAY}
    number = text.rstrip("mshdw")
    return int(number) * units[text[len(number):]]


def number_range(value):
    """3 or "1-3"."""
    low, _, high = str(value).partition("-")
    return int(low), int(high or low)


@dataclasses.dataclass
class Axis:
    name: str
    quantity: str
    method: str
    bins: int
    cuts: list  # In units of the quantity.
    bounds: list
    margin: float

    @classmethod
    def of(cls, table):
        scale = UNITS.get(table["quantity"], 10_000)
        cuts = [duration(c) if scale is None else round(c * scale) for c in table.get("cuts", [])]
        return cls(table["name"], table["quantity"], table["method"], table["bins"], cuts,
                   table.get("bounds", []), table.get("margin", 0))

    def trained(self):
        """What the trainer is asked for; None if the cuts are fixed."""
        if self.method == "fixed":
            return None
        return self.quantity, self.method, self.bins, tuple(self.bounds)

    less_is_better = property(lambda self: self.quantity in ("recency", "overdue", "risk"))
    in_silence = property(lambda self: self.quantity in ("recency", "overdue"))
    follows_risk = property(lambda self: self.quantity in ("risk", "value"))


class Segmentation:
    """One table of settings as `segments show --toml` prints it."""

    def __init__(self, name, table):
        self.name = name
        self.is_cluster = table["scorer"] == "cluster"
        self.axes = [Axis.of(axis) for axis in table.get("axes", [])]
        self.segments = {segment["name"]: segment for segment in table["segments"]}
        self.guard = table["guard"]
        self.stay = duration(table["stay"])
        self.hysteresis = table.get("hysteresis", 0)
        self.recency_min = duration(table.get("recency_min", "0s"))
        self.map = table.get("map", [])
        # What calls for a segment; the rest is damping, and what is said and done.
        self.calls = (table["scorer"], self.recency_min, self.map,
                      [dataclasses.replace(axis, margin=0) for axis in self.axes])
        self.follows_risk = any(axis.follows_risk for axis in self.axes)

    def segment_of(self, scores):
        """The one entry of the map that has the cell."""
        known = {axis.name: score for axis, score in zip(self.axes, scores)}
        if "f" in known and "m" in known:
            known["fm"] = (known["f"] + known["m"] + 1) // 2
        known["overall"] = sum(scores) - len(scores)
        found = []
        for entry in self.map:
            sides = {key: number_range(v) for key, v in entry.items() if key != "segment"}
            if all(low <= known[key] <= high for key, (low, high) in sides.items()):
                found.append(entry["segment"])
        assert len(found) == 1, (self.name, scores, found)
        return found[0]

    def rank(self, segment):
        if segment in self.segments:
            return self.segments[segment]["rank"]
        return SPEND_RANK[segment.partition(" spend")[0].split(", ")[-1]]

    def lost(self, segment):
        return self.segments.get(segment, {}).get("lost", False)

    def actions(self, segment):
        return self.segments.get(segment, {}).get("actions", [])


class Rules:
    """One version. `before`: the one that it follows, whose cuts keep their places in models."""

    def __init__(self, tables, quiet, precedence, lateness=60_000, before=None):
        self.segmentations = [Segmentation(name, tables[name]) for name in sorted(tables)]
        self.quiet = quiet
        self.precedence = precedence  # Names; the others follow in order of name.
        self.lateness = lateness
        self.version = before.version + 1 if before else 1
        asked = [axis.trained() for s in self.segmentations for axis in s.axes]
        asked = (before.trained if before else []) + asked
        self.trained = list(dict.fromkeys(spec for spec in asked if spec))

    def place(self, name):
        rest = [s.name for s in self.segmentations if s.name not in self.precedence]
        return (self.precedence + rest).index(name)

    def find(self, name):
        return next((s for s in self.segmentations if s.name == name), None)


class RulesLog:
    """Versions with the epochs from whose start on they hold."""

    def __init__(self, first, later=()):
        self.first, self.later = first, later

    def in_epoch(self, epoch):
        return next((rules for since, rules in reversed(self.later) if since <= epoch), self.first)


# --- The model log --------------------------------------------------------------------------------


class Models:
    """Logged versions by the epoch (day) at which they take effect."""

    def __init__(self, records):
        self.by_epoch = {}
        for value in records:
            if not value["unchanged"]:
                self.by_epoch[value["effective_epoch"]] = value
        self.epochs = sorted(self.by_epoch)

    def in_epoch(self, epoch):
        at = bisect.bisect_right(self.epochs, epoch)
        return self.by_epoch[self.epochs[at - 1]] if at else {"version": 0, "cuts": []}


def is_trained(axis, version, rules):
    """Whether the model has cuts of this kind, if only none for want of values."""
    return axis.method != "fixed" and (
        rules.trained.index(axis.trained()) < len(version.get("cuts", [])))


def cuts_of(axis, version, rules):
    if not is_trained(axis, version, rules):
        return axis.cuts
    return version["cuts"][rules.trained.index(axis.trained())]["cuts"]


# --- What is measured -----------------------------------------------------------------------------


@dataclasses.dataclass
class Facts:
    at: int
    frequency: int = 0
    monetary: int = 0
    first: int = 0
    last: int = 0

    def silence(self):
        return max(0, self.at - self.last) if self.frequency else 0

    def order_value(self):
        return max(0, self.monetary) // self.frequency


def facts_at(invoices, at):
    """`invoices`: the snapshots that hold, by (type, number)."""
    facts = Facts(at)
    named = {}
    for (kind, _), invoice in invoices.items():
        if kind == "credit":
            facts.monetary -= invoice["amount"]
            if invoice["original"]:
                named.setdefault(invoice["original"], []).append(invoice["amount"])
    times = []
    for (kind, number), invoice in invoices.items():
        if kind != "invoice":
            continue
        facts.monetary += invoice["amount"]
        credits = named.get(number, [])
        if not credits or sum(credits) < invoice["amount"]:
            times.append(invoice["time"])
    if times:
        facts.frequency, facts.first, facts.last = len(times), min(times), max(times)
    return facts


def churn_risk(version, facts):
    model = version.get("churn")
    if model is None or facts.frequency == 0:
        return None
    days = lambda ms: max(0, ms) / DAY  # noqa: E731
    f = float(facts.frequency)
    m = max(0, facts.monetary) / 10_000
    log_alive = 0.0
    for week in range(13):
        r = days(facts.at - facts.last) + 7 * week
        age = days(facts.at - facts.first) + 7 * week
        gap = days(facts.last - facts.first) / (f - 1) if f > 1 else age
        tau = model["nbd_alpha_days"] + age
        nbd = math.expm1((model["nbd_r"] + f - 1) * (math.log(tau + 7) - math.log(tau)))
        logit = math.log(nbd) + model["intercept"]
        for i, x in enumerate((r, f, m, gap, r / max(gap, 1))):
            if model["sd"][i] > 0:
                scaled = (math.log1p(x) - model["mean"][i]) / model["sd"][i]
                logit += model["coefficient"][i] * scaled
        log_alive -= (1 if week < 12 else 6 / 7) * math.log1p(math.exp(min(logit, 45)))
    return math.exp(log_alive)


def measure(quantity, facts, version):
    """None: absent."""
    if quantity == "recency":
        return facts.silence()
    if quantity == "frequency":
        return facts.frequency
    if quantity == "monetary":
        return facts.monetary
    if quantity == "order_value":
        return facts.order_value()
    if quantity == "overdue":
        history = facts.last - facts.first
        if facts.frequency < 2 or history <= 0:
            return None
        return facts.silence() * 1000 * (facts.frequency - 1) // history
    risk = churn_risk(version, facts)
    if quantity == "risk":
        return risk
    return int(min(-math.log(risk), 1e3) * facts.order_value())


# --- Scores ---------------------------------------------------------------------------------------


class Scorer:
    """One axis of one customer at one instant under one version. Score 0: absent."""

    def __init__(self, axis, facts, version, rules):
        self.axis, self.facts = axis, facts
        self.cuts = cuts_of(axis, version, rules)
        self.value = measure(axis.quantity, facts, version)

    def raw(self):
        if self.value is None:
            return 0
        if self.axis.quantity == "risk":
            return self.axis.bins - sum(self.value >= cut / 1e9 for cut in self.cuts)
        below = sum(cut < self.value for cut in self.cuts)
        return self.axis.bins - below if self.axis.less_is_better else 1 + below

    def silence_at(self, cut):
        """The last silence at which the value is not past the cut."""
        if self.axis.quantity == "recency":
            return cut
        history = self.facts.last - self.facts.first
        parts = 1000 * (self.facts.frequency - 1)
        return -((cut + 1) * history // -parts) - 1

    def widened(self, value, sign):
        return int(value * (1 + sign * self.axis.margin))

    def cut_below(self, score):  # Between it and the next worse score.
        return self.cuts[self.axis.bins - score if self.axis.less_is_better else score - 2]

    def cut_above(self, score):
        return self.cuts[self.axis.bins - score - 1 if self.axis.less_is_better else score - 1]

    def falls(self, score):
        """Past the cut below by the margin."""
        cut = self.cut_below(score)
        if self.axis.quantity == "risk":
            return self.value >= cut / 1e9 + self.axis.margin
        if self.axis.in_silence:
            return self.facts.silence() > self.widened(self.silence_at(cut), 1)
        return self.value <= self.widened(cut, -1)

    def rises(self, score):
        cut = self.cut_above(score)
        if self.axis.quantity == "risk":
            return self.value < cut / 1e9 - self.axis.margin
        if self.axis.in_silence:
            return self.facts.silence() <= self.widened(self.silence_at(cut), -1)
        return self.value > self.widened(cut, 1)

    def carried(self, score):
        """From a score that cuts or a model have carried over a limit."""
        raw = self.raw()
        if score == 0 or raw == 0:
            return raw
        while score > raw and self.falls(score):
            score -= 1
        while score < raw and self.rises(score):
            score += 1
        return score

    def silent(self, score, waits):
        """From a score held before in silence, under the same cuts. One that waits for its margin
        leaves there; a cut that is reached later than that is left as it is passed."""
        if score == 0 or not self.cuts or self.value is None:
            return score
        silence = self.facts.silence()
        left = None
        while score > 1:
            cut = self.silence_at(self.cut_below(score))
            late = waits and (left is None or cut < left)
            leaves = self.widened(cut, 1) if late else cut
            if silence <= leaves:
                break
            left = leaves if left is None else max(left, leaves)
            score -= 1
        return score


# --- One customer ---------------------------------------------------------------------------------


@dataclasses.dataclass
class State:
    """Of one segmentation."""

    label: str = NONE
    since: int = 0
    seq: int = 0
    called: str = NONE  # What is called for, held back or not.
    called_why: str = ""
    called_at: int = 0
    dropped: bool = False
    scores: tuple = ()  # Of a grid that can be scored.
    waits: tuple = ()
    cluster: int = -1


class Customer:
    def __init__(self, log, models):
        self.log, self.models = log, models
        self.rules = None
        self.invoices = {}
        self.states = {}
        self.gone = {}  # The last state in segmentations that are no more, for their chains.
        self.position = None  # The instant to which everything is done.
        self.acted_at = None  # When a transition was last acted on, without an act since.
        self.cooldowns = {}
        self.consent = None
        self.newest = None
        self.close = []  # Comparisons that rounding may decide.
        self.out = []

    # --- Calls ------------------------------------------------------------------------------------

    def scorers(self, segmentation, facts, version):
        """None: cannot be scored."""
        if segmentation.follows_risk and version.get("churn") is None:
            return None
        made = [Scorer(axis, facts, version, self.rules) for axis in segmentation.axes]
        for scorer in made:
            if not scorer.cuts:
                return None
            if scorer.axis.quantity == "risk":
                limits = [c / 1e9 + d * scorer.axis.margin for c in scorer.cuts for d in (-1, 0, 1)]
                self.close += [1 for limit in limits if abs(scorer.value - limit) < 1e-9]
            if scorer.axis.quantity == "value":
                limits = [scorer.widened(c, d) for c in scorer.cuts for d in (-1, 0, 1)]
                self.close += [1 for limit in limits if abs(scorer.value - limit) <= 1]
        return made

    def nearest(self, segmentation, facts, version, current):
        clusters = version["clusters"]
        silence = max(facts.silence(), segmentation.recency_min) / DAY
        fixed = lambda v: math.floor(math.log1p(v) * 2**20 + 0.5) / 2**20  # noqa: E731
        x = (math.log1p(silence), fixed(facts.frequency), fixed(max(0, facts.monetary) / 10_000))
        distances = [sum(w * (a - b) ** 2 for w, a, b in zip(clusters["weight"], x, c["center"]))
                     for c in clusters["centroids"]]
        best = min(range(len(distances)), key=lambda j: distances[j])
        if not 0 <= current < len(distances):
            return best
        keep = (1 - segmentation.hysteresis) * distances[current]
        if best != current and abs(distances[best] - keep) < 1e-13:
            self.close.append(1)
        return best if distances[best] < keep else current

    def call_anew(self, segmentation, state, facts, version):
        """After an act of the customer."""
        state.waits = tuple(False for _ in segmentation.axes)
        if facts.frequency == 0:
            state.scores, state.cluster = (), -1
            return NONE
        if segmentation.is_cluster:
            if version.get("clusters") is None:
                state.cluster = -1
                return UNASSIGNED
            state.cluster = self.nearest(segmentation, facts, version, state.cluster)
            return version["clusters"]["centroids"][state.cluster]["name"]
        scorers = self.scorers(segmentation, facts, version)
        if scorers is None:
            state.scores = ()
            return UNASSIGNED
        state.scores = tuple(scorer.raw() for scorer in scorers)
        return segmentation.segment_of(state.scores)

    def call_at_return(self, segmentation, state, was, facts, version):
        """What the return did not carry over a limit stays as it is held."""
        before = self.scorers(segmentation, was, version) if was.frequency else None
        after = self.scorers(segmentation, facts, version) if facts.frequency else None
        if segmentation.is_cluster or not (state.scores and before and after):
            return self.call_anew(segmentation, state, facts, version)
        self.go_silent(segmentation, state, facts, version)
        state.scores = tuple(
            now.carried(score) if old.raw() == now.raw() else now.raw()
            for old, now, score in zip(before, after, state.scores))
        state.waits = tuple(now.axis.in_silence and score > now.raw()
                            for now, score in zip(after, state.scores))
        return segmentation.segment_of(state.scores)

    def go_silent(self, segmentation, state, facts, version):
        """The scores after silence under the cuts that they were held under."""
        if state.scores:
            scorers = self.scorers(segmentation, facts, version)
            if scorers is None:
                return
            state.scores = tuple(
                scorer.silent(score, waits) if scorer.axis.in_silence else score
                for scorer, score, waits in zip(scorers, state.scores, state.waits))
            state.waits = tuple(
                scorer.axis.in_silence and score > scorer.raw()
                for scorer, score in zip(scorers, state.scores))

    def call_in_silence(self, segmentation, state, facts, version):
        if segmentation.is_cluster:
            return self.call_anew(segmentation, state, facts, version)
        if not state.scores:
            return state.called
        if any(axis.in_silence for axis in segmentation.axes):
            self.go_silent(segmentation, state, facts, version)
        return segmentation.segment_of(state.scores)

    def call_at_boundary(self, segmentation, state, facts, before, after):
        if segmentation.is_cluster or not state.scores:
            return self.call_anew(segmentation, state, facts, after)
        scorers = self.scorers(segmentation, facts, after)
        if scorers is None:
            state.scores = ()
            return UNASSIGNED
        self.go_silent(segmentation, state, facts, before)
        state.scores = tuple(s.carried(score) for s, score in zip(scorers, state.scores))
        state.waits = tuple(s.axis.in_silence and score > s.raw()
                            for s, score in zip(scorers, state.scores))
        return segmentation.segment_of(state.scores)

    # --- Labels -----------------------------------------------------------------------------------

    def follow(self, segmentation, called, why, facts, version, moves, cell_changed=True,
               is_purchase=False):
        """Damping: whether the segment that is called for takes effect."""
        state = self.states[segmentation.name]
        before = dataclasses.replace(state)
        was_called = state.called
        rank = segmentation.rank
        assigned = NONE not in (called, state.label) and UNASSIGNED not in (called, state.label)
        own = why in OWN
        confirms = own and called != state.label and (
            is_purchase or (cell_changed and self.rank_of(segmentation, called)
                            < self.rank_of(segmentation, state.label)))
        anew = called != was_called or confirms
        state.called = called
        if anew:
            state.called_why, state.called_at, state.dropped = why, facts.at, False
        if called == state.label:
            state.called_why, state.dropped = "", False
            return
        if assigned:
            if state.dropped:
                return
            up = rank(called) > rank(state.label)
            down = rank(called) < rank(state.label)
            against = (state.called_why == "inactivity" and up) or (
                state.called_why != "inactivity" and is_purchase and down)
            if segmentation.guard and against:
                state.dropped = True
                return
            at_once = (anew and state.called_why in OWN) or (
                state.called_why == "inactivity" and segmentation.lost(called))
            if not at_once and facts.at < state.since + segmentation.stay:
                return
        held = self.held(before, was_called)
        self.move(segmentation, called, state.called_why, facts, version, held, moves)

    def held(self, state, called):
        """What a state held back, and since when."""
        if state.label in (NONE, UNASSIGNED) or state.dropped or called == state.label:
            return None
        return called, state.since - (state.called_at - state.since) // -1000 * 1000

    def rank_of(self, segmentation, segment):
        return 0 if segment in (NONE, UNASSIGNED) else segmentation.rank(segment)

    def move(self, segmentation, to, why, facts, version, held, moves, was=None):
        """`was`: the segmentation as the label is of it, where the rules change."""
        state = self.states[segmentation.name]
        a, b = self.rank_of(was or segmentation, state.label), self.rank_of(segmentation, to)
        direction = ("new" if state.label == NONE else "lost" if to == NONE
                     else "sideways" if UNASSIGNED in (state.label, to) or a == b
                     else "up" if b > a else "down")
        state.seq += 1
        record = {
            "segmentation": segmentation.name, "seq": state.seq, "from": state.label, "to": to,
            "since": state.since if state.seq > 1 else None,
            "direction": direction, "reason": why, "at": facts.at, "held": held,
            "frequency": facts.frequency, "monetary": facts.monetary,
            "model": version["version"], "rules": self.rules.version,
            "scores": self.shown_scores(segmentation, facts, version),
        }
        state.label, state.since = to, facts.at
        state.called, state.called_why, state.dropped = to, "", False
        moves.append(record)

    def shown_scores(self, segmentation, facts, version):
        """As the values are, whatever is held."""
        if segmentation.is_cluster or facts.frequency == 0:
            return {}
        scorers = self.scorers(segmentation, facts, version)
        return {s.axis.name: s.raw() for s in scorers or () if s.axis.quantity != "risk"}

    def restrain(self, moves, at, acts):
        """Which of the moves of an instant is acted on."""
        quiet = self.rules.quiet
        if acts and self.acted_at != at:
            self.acted_at = None
        free = []
        for move in moves:
            move["consent"] = self.consent
            action = None
            if move["reason"] in OWN + ("inactivity",):
                action = self.action_of(move)
            if action is None:
                move["held_by"] = "no_action"
                continue
            move["action"], move["cooldown"] = action["text"], action.get("cooldown")
            until = self.cooldowns.get((move["segmentation"], move["to"]))
            if until is not None and at < until:
                move["held_by"] = "cooldown"
            elif self.acted_at is not None and at < self.acted_at + quiet:
                move["held_by"] = "precedence"
            else:
                free.append(move)
        if quiet > 0:  # The first by precedence stands.
            free.sort(key=lambda move: self.rules.place(move["segmentation"]))
            for move in free[1:]:
                move["held_by"] = "precedence"
            del free[1:]
        for move in free:
            self.acted_at = at
            if move["cooldown"]:
                key = (move["segmentation"], move["to"])
                self.cooldowns[key] = at + duration(move["cooldown"])
        for move in moves:
            move["suppressed_by"] = self.suppressed_by(move)
            self.out.append(move)

    def action_of(self, move):
        segmentation = self.rules.find(move["segmentation"])
        for action in segmentation.actions(move["to"]):
            on = action.get("on", "any")
            if on == "down" and move["direction"] != "down":
                continue
            if on == "up" and move["direction"] not in ("up", "new"):
                continue
            condition = action.get("if")
            if condition:
                (other, wanted), = condition.items()
                wanted = [wanted] if isinstance(wanted, str) else wanted
                if self.states[other].label not in wanted:
                    continue
            return action
        return None

    def suppressed_by(self, move):
        by_reason = {"erasure": "erasure", "population_shift": "population",
                     "model_change": "model", "rules_change": "model"}
        if move["reason"] in by_reason:
            return by_reason[move["reason"]]
        if move.get("held_by") == "no_action":
            return "no_action"
        if move["consent"] is False:
            return "consent"
        return move.get("held_by")

    # --- Time -------------------------------------------------------------------------------------

    def advance(self, to):
        """Everything that time does up to and at `to`."""
        while self.position < to:
            boundary = (self.position // DAY + 1) * DAY
            version = self.models.in_epoch(self.position // DAY)
            limit = min(to, boundary)
            while True:
                at = self.next_instant(limit, version)
                if at is None:
                    break
                self.pass_instant(at, version)
                self.position = at
            self.position = limit
            if limit == boundary:
                self.cross(boundary)

    def next_instant(self, limit, version):
        """The next one in (position, limit] at which silence or a stay may change anything."""
        facts = facts_at(self.invoices, self.position)
        if facts.frequency == 0:
            return None
        instants = []
        for segmentation in self.rules.segmentations:
            state = self.states[segmentation.name]
            if state.called != state.label and not state.dropped:
                instants.append(state.since + segmentation.stay)
            if segmentation.is_cluster:
                if state.cluster >= 0 and version.get("clusters"):
                    instants.append(self.next_cluster(segmentation, state, limit, version))
                continue
            if not state.scores:
                continue
            for axis, score in zip(segmentation.axes, state.scores):
                if not axis.in_silence or score == 0:
                    continue
                scorer = Scorer(axis, facts, version, self.rules)
                for cut in scorer.cuts:
                    silence = scorer.silence_at(cut)
                    instants += [facts.last + silence + 1,
                                 facts.last + scorer.widened(silence, 1) + 1]
        return min((at for at in instants if at and self.position < at <= limit), default=None)

    def next_cluster(self, segmentation, state, limit, version):
        at = lambda t: self.nearest(segmentation, facts_at(self.invoices, t), version,  # noqa: E731
                                    state.cluster)
        known = len(self.close)
        low, high = self.position, limit
        if at(high) == state.cluster:
            return None
        while low + 1 < high:
            middle = (low + high) // 2
            low, high = (low, middle) if at(middle) != state.cluster else (middle, high)
        del self.close[known:]  # To the millisecond it is always close.
        return high

    def pass_instant(self, at, version):
        facts = facts_at(self.invoices, at)
        moves = []
        for segmentation in self.rules.segmentations:
            state = self.states[segmentation.name]
            called = self.call_in_silence(segmentation, state, facts, version)
            self.follow(segmentation, called, "inactivity", facts, version, moves)
        self.restrain(moves, at, False)

    def cross(self, boundary):
        """What time has done under the old rules and model; then the new rules; then the model."""
        facts = facts_at(self.invoices, boundary)
        epoch = boundary // DAY
        before, after = self.models.in_epoch(epoch - 1), self.models.in_epoch(epoch)
        rules = self.log.in_epoch(epoch)
        moves = []
        if before.get("churn") and facts.frequency:
            for segmentation in self.rules.segmentations:
                if segmentation.follows_risk:
                    state = self.states[segmentation.name]
                    called = self.call_at_boundary(segmentation, state, facts, before, before)
                    self.follow(segmentation, called, "inactivity", facts, before, moves)
        anew = set()
        if rules is not self.rules:
            self.restrain(moves, boundary, False)
            moves = []
            anew = self.go_over(rules, facts, before, after, moves)
        if after["version"] != before["version"] and facts.frequency:
            for segmentation in self.rules.segmentations:
                if segmentation.name not in anew:
                    self.adopt(segmentation, facts, before, after, moves)
        self.restrain(moves, boundary, False)

    def go_over(self, rules, facts, before, after, moves):
        """To other rules. Returns the names of what is evaluated anew."""
        old, self.rules = self.rules, rules
        for was in old.segmentations:
            if rules.find(was.name):
                continue
            state = self.states[was.name]
            if state.label != NONE:
                self.move(was, NONE, "rules_change", facts, after, self.held(state, state.called),
                          moves)
            self.gone[was.name] = self.states.pop(was.name)
            self.forget_cooldowns(was.name, ())
        anew = set()
        for segmentation in rules.segmentations:
            was = old.find(segmentation.name)
            if was:
                self.forget_cooldowns(was.name, segmentation.segments)
            if was and was.calls == segmentation.calls:
                self.go_on(segmentation, facts, before, moves)
                continue
            anew.add(segmentation.name)
            if not was:
                gone = self.gone.pop(segmentation.name, State())
                self.states[segmentation.name] = State(seq=gone.seq, since=gone.since)
            state = self.states[segmentation.name]
            held = self.held(state, state.called)
            state.cluster = -1  # Undamped.
            called = self.call_anew(segmentation, state, facts, after)
            if called != state.label:
                self.move(segmentation, called, "rules_change", facts, after, held, moves, was)
            state.called, state.called_why, state.dropped = called, "", False
        return anew

    def go_on(self, segmentation, facts, version, moves):
        """What other damping lets go of at once, it lets go of at the boundary."""
        if facts.frequency == 0:
            return
        state = self.states[segmentation.name]
        called = (self.call_at_boundary(segmentation, state, facts, version, version)
                  if segmentation.follows_risk and version.get("churn")
                  else self.call_in_silence(segmentation, state, facts, version))
        made = len(moves)
        self.follow(segmentation, called, "inactivity", facts, version, moves)
        for move in moves[made:]:
            move["reason"] = "rules_change"

    def forget_cooldowns(self, name, segments):
        """Of all segments but these."""
        self.cooldowns = {key: until for key, until in self.cooldowns.items()
                          if key[0] != name or key[1] in segments}

    def adopt(self, segmentation, facts, before, after, moves):
        state = self.states[segmentation.name]
        if segmentation.is_cluster:
            if after["cluster_change"] == "none":
                return
            cluster = state.cluster
            called = self.call_at_boundary(segmentation, state, facts, before, after)
            follows = after["cluster_change"] in ("moved", "refit")
            why = "population_shift" if follows and state.cluster != cluster else "model_change"
        else:
            changes_risk = segmentation.follows_risk and after["churn_changed"]
            if not after["cuts_changed"] and not changes_risk:
                return
            scores = state.scores
            called = self.call_at_boundary(segmentation, state, facts, before, after)
            same_kind = all(is_trained(axis, before, self.rules) == is_trained(axis, after,
                                                                               self.rules)
                            for axis in segmentation.axes)
            why = "model_change" if changes_risk or not same_kind else "population_shift"
            if why == "population_shift" and self.falls_silent(segmentation, state, scores, called):
                why = "inactivity"
        self.follow(segmentation, called, why, facts, after, moves)

    def falls_silent(self, segmentation, state, scores, called):
        """Whether what silence brings down leads to a lost segment by itself."""
        if not (scores and state.scores) or not segmentation.lost(called):
            return False
        if state.label in (NONE, UNASSIGNED):
            return False
        if segmentation.rank(called) >= segmentation.rank(state.label):
            return False
        silent = tuple(new if axis.in_silence else old
                       for axis, old, new in zip(segmentation.axes, scores, state.scores))
        follows = any(axis.in_silence for axis in segmentation.axes)
        return follows and segmentation.lost(segmentation.segment_of(silent))

    # --- Events -----------------------------------------------------------------------------------

    def reach(self, now):
        if self.position is None:
            self.position = now
            self.rules = self.log.in_epoch(now // DAY)
            self.states = {s.name: State() for s in self.rules.segmentations}
        self.advance(now)

    def put(self, event, watermark):
        """An invoice or credit; False if it changes nothing."""
        key = (event["type"], event["number"])
        known = self.invoices.get(key)
        snapshot = {"time": event["time"], "amount": event["amount"], "revision": event["revision"],
                    "original": event["original"], "country": event["country"]}
        rank = lambda i: (i["revision"], i["time"], i["amount"])  # noqa: E731
        if known is not None and (known == snapshot or rank(snapshot) < rank(known)):
            return
        before = watermark if self.position is None else max(self.position, watermark)
        now = max(before, event["time"])
        self.reach(now)
        if self.newest is None or event["time"] >= self.newest:
            self.newest = event["time"]
            if event["consent"] is not None:
                self.consent = event["consent"]
        was = facts_at(self.invoices, now)
        self.invoices[key] = snapshot
        facts = facts_at(self.invoices, now)
        version = self.models.in_epoch(now // DAY)
        takes_back = event["type"] == "credit"
        why = "late_event" if event["time"] < now else "return" if takes_back else "purchase"
        moves = []
        for segmentation in self.rules.segmentations:
            state = self.states[segmentation.name]
            cell = (state.scores, state.cluster, state.waits)
            called = (self.call_at_return(segmentation, state, was, facts, version) if takes_back
                      else self.call_anew(segmentation, state, facts, version))
            changed = cell != (state.scores, state.cluster, state.waits)
            self.follow(segmentation, called, why, facts, version, moves, changed, not takes_back)
        self.restrain(moves, now, True)

    def erase(self, watermark):
        now = watermark if self.position is None else max(self.position, watermark)
        self.reach(now)
        version = self.models.in_epoch(now // DAY)
        moves = []
        for segmentation in self.rules.segmentations:
            if self.states[segmentation.name].label != NONE:
                self.move(segmentation, NONE, "erasure", Facts(now), version, None, moves)
        for move in moves:
            move["suppressed_by"] = "erasure"
            self.out.append(move)


def interpret(events, log, models, until):
    """All transitions and the last state of the only customer of `events`, in the order of the log;
    `watermark` of an event is that of its partition when it is applied."""
    out, close = [], []
    customer = Customer(log, models)
    for event in events:
        if event["type"] == "tombstone":
            customer.erase(event["watermark"])
            out += customer.out
            close += customer.close
            customer = Customer(log, models)
        else:
            customer.put(event, event["watermark"])
    if customer.position is not None:
        customer.reach(until)
    return out + customer.out, customer, close + customer.close
