"""A shop that never was: two years of invoices, seeded, and what the service would say of it.

The figures of one answer agree with those of the others: all are sums over the same invoices.
Segments follow from much simpler rules than those of the program.
"""

import bisect
import collections
import datetime
import random
import statistics

TODAY = datetime.date(2024, 12, 10)
AS_OF = f"{TODAY}T12:00:00.000Z"
CURRENCY = "GBP"
DAYS = 730
FIRST = TODAY - datetime.timedelta(days=DAYS)
MODEL_FROM = FIRST + datetime.timedelta(days=90)
CLUSTERS_FROM = FIRST + datetime.timedelta(days=140)

SEGMENTS = {
    "rfm": [
        (
            "Champions",
            110,
            "Bought very recently, buy often and spend the most.",
            "reward them: early access, no discounts needed",
        ),
        (
            "Loyal",
            100,
            "Buy regularly and recently, with good spend.",
            "upsell and offer a loyalty programme",
        ),
        (
            "Potential Loyalist",
            90,
            "Recent customers with more than one purchase.",
            "recommend related products",
        ),
        (
            "New",
            80,
            "Bought recently for the first time.",
            "welcome series: lead to the second purchase",
        ),
        ("Promising", 70, "Bought once not long ago, with little spend.", ""),
        (
            "Need Attention",
            60,
            "Average in every respect; have not bought for a while.",
            "limited-time offer",
        ),
        (
            "About to Sleep",
            50,
            "Below average; will be lost if nothing happens.",
            "reconnect with popular products",
        ),
        (
            "Can't Lose",
            40,
            "Used to buy most and most often, silent for long.",
            "win back in person",
        ),
        (
            "At Risk",
            30,
            "Spent well and bought often, silent for long.",
            "win back with a personal offer",
        ),
        (
            "Hibernating",
            20,
            "Last purchase long ago, few orders, little spend.",
            "low-cost campaigns only",
        ),
    ],
    "cluster": [
        ("Champions", 50, "Recent, many purchases and the highest spend.", "reward them"),
        ("Loyal", 40, "Recent, many purchases and high spend.", "upsell"),
        ("Occasional", 30, "Recent, few purchases or little spend.", "grow them"),
        (
            "Dormant high-value",
            20,
            "Silent for longer, of high spend.",
            "win back with a personal offer",
        ),
        ("Hibernating", 10, "Silent for longer, of little spend.", "low-cost reactivation only"),
        ("Unassigned", 0, "There is no model yet.", ""),
    ],
    "churn": [
        ("Low", 30, "Likely to buy again within the horizon.", ""),
        (
            "Medium",
            20,
            "May or may not buy again within the horizon.",
            "nudge: reminder or free shipping",
        ),
        (
            "High",
            10,
            "Unlikely to buy again within the horizon.",
            "retention offer if past spend justifies it",
        ),
        ("Unassigned", 0, "There is no model yet.", ""),
    ],
}
MODEL_CUTS = [
    {
        "quantity": "recency",
        "method": "quantile",
        "unit": "days",
        "cuts": [30.0, 60.0, 90.0, 180.0],
    },
    {"quantity": "frequency", "method": "quantile", "unit": "orders", "cuts": [1, 2, 3, 6]},
    {
        "quantity": "monetary",
        "method": "quantile",
        "unit": "money",
        "cuts": [150.0, 320.0, 700.0, 1500.0],
    },
]
CUTS = {"r": [30.0, 60.0, 90.0, 180.0], "f": [1, 2, 3, 6], "m": [150.0, 320.0, 700.0, 1500.0]}
COUNTRIES = (
    ["United Kingdom"] * 30
    + ["Germany", "France", "Ireland"] * 3
    + [
        "Spain",
        "Belgium",
        "Netherlands",
        "Portugal",
        "Norway",
        "Italy",
        "Finland",
        "Channel Islands",
    ]
)
WARES = [
    "cake stand, three tiers",
    "mug, blue",
    "bunting, party",
    "lantern, white",
    "bag, red dots",
    "clock, bakelike",
    "doormat",
    "candle holder",
    "tea towel",
    "napkins, roses",
    "tin, sweets",
    "chalk board",
    "photo frame",
    "birdcage",
    "lunch box",
    "picnic basket",
    "heart of wicker",
    "jam jar",
    "door hook",
    "night light",
    "spoon rest",
    "postage",
]


class Invoice:
    def __init__(self, day, hour, amount, ware):
        self.day, self.hour, self.amount, self.ware = day, hour, amount, ware
        self.at = f"{day}T{hour:02}:{(int(abs(amount) * 7)) % 60:02}:00.000Z"


class Shopper:
    def __init__(self, number, rng):
        self.id = str(12000 + number)
        self.country = rng.choice(COUNTRIES)
        rate = rng.choice([9, 20, 35, 60, 60, 120, 200, 400])
        size = rng.lognormvariate(5.1, 0.8)
        ends = rng.choice([None, None, None, rng.randrange(60, DAYS)])
        self.invoices = []
        day = rng.randrange(0, DAYS)
        while day < DAYS and (ends is None or day < ends or not self.invoices):
            date = FIRST + datetime.timedelta(days=day)
            if date.weekday() != 5:  # Closed on Saturdays.
                amount = round(size * rng.lognormvariate(0, 0.4), 2)
                hour = min(18, max(8, int(rng.gauss(12.5, 2))))
                ware = min(len(WARES) - 1, int(rng.expovariate(0.2)))
                self.invoices.append(Invoice(date, hour, amount, ware))
                if rng.random() < 0.06:
                    back = date + datetime.timedelta(days=rng.randrange(1, 12))
                    if back < TODAY:
                        self.invoices.append(Invoice(back, hour, -round(amount * 0.3, 2), ware))
            day += max(1, int(rng.expovariate(1 / rate)))
        self.invoices.sort(key=lambda one: one.at)
        self.bought = [one.day for one in self.invoices if one.amount > 0]

    def figures(self, day):
        """(silent days, orders, net money) at the end of `day`; None before the first purchase."""
        orders = bisect.bisect_right(self.bought, day)
        if orders == 0:
            return None
        net = sum(one.amount for one in self.invoices if one.day <= day)
        return (day - self.bought[orders - 1]).days + 0.5, orders, round(net, 2)


def score(cuts, value, falling):
    place = bisect.bisect_left(cuts, value)
    return 5 - place if falling else place + 1


def scores_of(figures):
    silent, orders, net = figures
    r, f, m = (
        score(CUTS["r"], silent, True),
        score(CUTS["f"], orders, False),
        score(CUTS["m"], net, False),
    )
    return {"r": r, "f": f, "m": m, "fm": (f + m + 1) // 2}


def rfm_of(s):
    if s["r"] >= 4:
        if s["f"] == 1:
            return "New" if s["r"] == 5 or s["m"] > 1 else "Promising"
        if s["fm"] <= 3:
            return "Potential Loyalist"
        return "Champions" if s["r"] == 5 else "Loyal"
    if s["r"] == 3:
        return "Loyal" if s["fm"] >= 4 else "Need Attention" if s["fm"] == 3 else "About to Sleep"
    return "Can't Lose" if s["fm"] == 5 else "At Risk" if s["fm"] >= 3 else "Hibernating"


def risk_of(figures):
    silent, orders, _ = figures
    return round(min(0.97, max(0.03, 0.75 * silent / (silent + 25 + 6 * orders) + 0.12)), 10)


def segments_of(figures, day):
    silent, orders, net = figures
    recent = silent <= 75
    if day < CLUSTERS_FROM:
        cluster = "Unassigned"
    elif recent:
        cluster = (
            "Champions"
            if net > 2500 and orders > 6
            else "Loyal" if net > 700 and orders > 2 else "Occasional"
        )
    else:
        cluster = "Dormant high-value" if net > 700 else "Hibernating"
    risk = risk_of(figures)
    churn = (
        "Unassigned"
        if day < MODEL_FROM
        else "Low" if risk < 0.33 else "Medium" if risk < 0.66 else "High"
    )
    return {"churn": churn, "cluster": cluster, "rfm": rfm_of(scores_of(figures))}


class Shop:
    def __init__(self, shoppers=420, seed=5):
        rng = random.Random(seed)
        self.shoppers = [Shopper(number, rng) for number in range(shoppers)]
        self.shoppers = [one for one in self.shoppers if one.figures(TODAY)]
        self.by_id = {one.id: one for one in self.shoppers}
        self.days = [FIRST + datetime.timedelta(days=n) for n in range(DAYS + 1)]
        self.moves = collections.defaultdict(list)  # Customer -> moves in order of time.
        self.stock = {name: [] for name in SEGMENTS}  # Each day: segment -> [customers, money].
        self.unnamed = [
            Invoice(day, 11, round(rng.uniform(40, 400), 2), 3)
            for day in self.days
            if day.weekday() != 5
        ]
        self._live()

    def _live(self):
        before = {}
        for day in self.days:
            sums = {name: collections.defaultdict(lambda: [0, 0.0]) for name in SEGMENTS}
            for shopper in self.shoppers:
                figures = shopper.figures(day)
                if not figures:
                    continue
                now = segments_of(figures, day)
                was = before.get(shopper.id)
                for name, segment in now.items():
                    cell = sums[name][segment]
                    cell[0] += 1
                    cell[1] += figures[2]
                    old = was[name] if was else "none"
                    if old != segment:
                        bought = figures[0] < 1
                        reason = (
                            "model_change"
                            if old == "Unassigned"
                            else "purchase" if bought else "inactivity"
                        )
                        self.moves[shopper.id].append(
                            {
                                "date": str(day),
                                "segmentation": name,
                                "from": old,
                                "to": segment,
                                "reason": reason,
                                "actionable": reason != "model_change"
                                and segment != "Unassigned"
                                and name == "rfm",
                            }
                        )
                before[shopper.id] = now
            for name in SEGMENTS:
                self.stock[name].append(
                    {key: [cell[0], round(cell[1], 4)] for key, cell in sums[name].items()}
                )

    # --- envelope ---

    def envelope(self):
        return {
            "as_of": AS_OF,
            "partitions": {"held": 1, "total": 1},
            "currency": CURRENCY,
            "monetary": "net",
            "model_version": 640,
            "rules_version": 1,
        }

    def span(self, asked):
        return asked.get("from") or str(FIRST), asked.get("to") or str(TODAY)

    def line(self, shopper):
        figures = shopper.figures(TODAY)
        risk = risk_of(figures)
        year = sum(one.amount for one in shopper.invoices if (TODAY - one.day).days < 365)
        return {
            "customer_id": shopper.id,
            "country": shopper.country,
            "recency_days": figures[0],
            "frequency": figures[1],
            "monetary": figures[2],
            "aov": round(figures[2] / figures[1], 2),
            "churn_risk": risk,
            "value_at_risk": round(risk * max(0, year) * 90 / 365, 4),
            "segments": segments_of(figures, TODAY),
        }

    # --- answers ---

    def segments(self, asked):
        name = asked.get("segmentation") or "rfm"
        first, last = self.span(asked)
        lines = [self.line(one) for one in self.shoppers]
        money = sum(one["monetary"] for one in lines)
        segments = []
        for segment, rank, description, action in SEGMENTS[name]:
            mine = [one for one in lines if one["segments"][name] == segment]
            if not mine and segment == "Unassigned":
                continue
            worth, orders = sum(one["monetary"] for one in mine), sum(
                one["frequency"] for one in mine
            )
            mean = lambda key: statistics.fmean(one[key] for one in mine) if mine else None
            segments.append(
                {
                    "name": segment,
                    "rank": rank,
                    "description": description,
                    "action": action,
                    "customers": len(mine),
                    "share": len(mine) / len(lines),
                    "monetary": round(worth, 4),
                    "revenue_share": worth / money,
                    "orders": orders,
                    "aov": worth / orders if orders else None,
                    "recency_days": mean("recency_days"),
                    "frequency": mean("frequency"),
                    "monetary_mean": mean("monetary"),
                    "churn_risk": mean("churn_risk"),
                }
            )
        days = [
            {"date": str(day), "segments": cells}
            for day, cells in zip(self.days, self.stock[name])
            if first <= str(day) <= last
        ]
        versions = [
            {
                "at": f"{CLUSTERS_FROM + datetime.timedelta(days=91 * n)}T00:00:00.000Z",
                "kind": "model",
                "number": 50 + 91 * n,
                "what": "clusters fitted again",
            }
            for n in range(7)
        ]
        versions.append(
            {
                "at": "2024-09-01T08:00:00.000Z",
                "kind": "rules",
                "number": 1,
                "what": "rfm: stay 8 d",
            }
        )
        return self.envelope() | {
            "segmentations": list(SEGMENTS),
            "segmentation": name,
            "segments": segments,
            "days": days,
            "versions": [one for one in versions if first <= one["at"][:10] <= last],
        }

    def moves_of(self, asked):
        name = asked.get("segmentation") or "rfm"
        first, last = self.span(asked)
        for shopper in self.shoppers:
            mine = [one for one in self.moves[shopper.id] if one["segmentation"] == name]
            within = [one for one in mine if first <= one["date"] <= last]
            at = lambda day: ([one["to"] for one in mine if one["date"] <= day] or ["none"])[-1]
            before = str(datetime.date.fromisoformat(first) - datetime.timedelta(days=1))
            yield shopper, within, at(before), at(last)

    def transitions(self, asked):
        reason = asked.get("reason")
        movers = {}
        flows, days, net, back = (
            collections.defaultdict(lambda: [0, 0.0]),
            collections.defaultdict(lambda: [0, 0]),
            collections.Counter(),
            0,
        )
        for shopper, within, start, end in self.moves_of(asked):
            for one in within:
                if reason and one["reason"] != reason:
                    continue
                cell = flows[one["from"], one["to"], one["reason"], one["actionable"]]
                cell[0] += 1
                cell[1] += movers.setdefault(shopper.id, shopper.figures(TODAY)[2])
                days[one["date"]][0] += 1
                days[one["date"]][1] += one["actionable"]
            if start != end:
                net[start, end] += 1
            back += bool(within) and start == end
        return self.envelope() | {
            "segmentation": asked.get("segmentation") or "rfm",
            "flows": [
                {
                    "from": a,
                    "to": b,
                    "reason": r,
                    "actionable": act,
                    "moves": n,
                    "monetary": round(money, 4),
                }
                for (a, b, r, act), (n, money) in sorted(flows.items())
            ],
            "days": [
                {"date": day, "moves": n, "actionable": act}
                for day, (n, act) in sorted(days.items())
            ],
            "net": [{"from": a, "to": b, "customers": n} for (a, b), n in sorted(net.items())],
            "came_back": back,
            "moved_customers": len(movers),
            "moved_monetary": round(sum(movers.values()), 4),
        }

    def moved_customers(self, asked):
        cell = asked.get("from_segment"), asked.get("to_segment")
        by_net = asked.get("by") == "net"
        rows = [
            {
                "customer_id": shopper.id,
                "monetary": shopper.figures(TODAY)[2],
                "moves": [
                    {key: one[key] for key in ("date", "from", "to", "reason", "actionable")}
                    for one in within
                    if by_net or cell == (one["from"], one["to"])
                ],
            }
            for shopper, within, start, end in self.moves_of(asked)
            if cell == (start, end) or not by_net
        ]
        rows = [row for row in rows if row["moves"]]
        return self.page(rows, asked)

    def page(self, rows, asked):
        page, size = int(asked.get("page", 0)), int(asked.get("size", 50))
        return self.envelope() | {
            "total": len(rows),
            "customers": rows[page * size : (page + 1) * size],
        }

    def grid(self, asked):
        name = asked.get("segmentation") or "rfm"
        if name != "rfm":
            return self.envelope() | {
                "segmentation": name,
                "axes": [],
                "coordinates": [],
                "cells": [],
            }
        cells = collections.defaultdict(list)
        for shopper in self.shoppers:
            figures = shopper.figures(TODAY)
            s = scores_of(figures)
            cells[s["r"], s["fm"], rfm_of(s)].append(figures[2])
        best = {}
        for (r, fm, segment), money in cells.items():
            key = (r, fm)
            if key not in best or len(best[key][1]) < len(money):
                best[key] = (segment, money + (best[key][1] if key in best else []))
            else:
                best[key][1].extend(money)
        return self.envelope() | {
            "segmentation": name,
            "axes": [
                {"name": "r", "quantity": "recency", "unit": "days", "cuts": CUTS["r"]},
                {"name": "f", "quantity": "frequency", "unit": "orders", "cuts": CUTS["f"]},
                {"name": "m", "quantity": "monetary", "unit": "money", "cuts": CUTS["m"]},
            ],
            "coordinates": [{"name": "r", "scores": 5}, {"name": "fm", "scores": 5}],
            "cells": [
                {
                    "scores": [r, fm],
                    "segments": [segment],
                    "segment": segment,
                    "customers": len(money),
                    "monetary": round(sum(money), 4),
                    "monetary_median": statistics.median(money),
                }
                for (r, fm), (segment, money) in sorted(best.items())
            ],
        }

    def customers(self, asked):
        name = asked.get("segmentation") or "rfm"
        rows = [self.line(one) for one in self.shoppers]
        if asked.get("segment"):
            rows = [one for one in rows if one["segments"][name] == asked["segment"]]
        if asked.get("country"):
            rows = [one for one in rows if one["country"] == asked["country"]]
        key = {"recency": "recency_days"}.get(
            asked.get("sort", "monetary"), asked.get("sort", "monetary")
        )
        rows.sort(key=lambda one: (-one[key], one["customer_id"]))
        return self.page(rows, asked)

    def customer(self, name):
        shopper = self.by_id.get(name)
        if not shopper:
            return None
        figures = shopper.figures(TODAY)
        s, now = scores_of(figures), segments_of(figures, TODAY)
        moves = self.moves[shopper.id]
        later = {"churn": "High", "cluster": "Hibernating", "rfm": "Hibernating"}
        segments = {}
        for key, segment in now.items():
            mine = [one for one in moves if one["segmentation"] == key]
            segments[key] = {
                "segment": segment,
                "since": f"{mine[-1]['date']}T09:00:00.000Z",
                "seq": len(mine),
                **({"scores": {axis: s[axis] for axis in "rfm"}} if key == "rfm" else {}),
                **(
                    {"next": {"at": "2025-03-01T10:00:00.000Z", "segment": later[key]}}
                    if segment != later[key]
                    else {}
                ),
            }
        sales = sum(one.amount for one in shopper.invoices if one.amount > 0)
        credits = -sum(one.amount for one in shopper.invoices if one.amount < 0)
        return self.envelope() | {
            "customer_id": shopper.id,
            "country": shopper.country,
            "partition": 0,
            "birth": "0011223344556677",
            "first_purchase": shopper.invoices[0].at,
            "last_purchase": f"{shopper.bought[-1]}T10:00:00.000Z",
            "recency_days": figures[0],
            "frequency": figures[1],
            "monetary": f"{figures[2]:.4f}",
            "monetary_kind": "net",
            "sales": f"{sales:.4f}",
            "credits": f"{credits:.4f}",
            "churn_risk": risk_of(figures),
            "segments": segments,
            "deadlines": [
                {"at": "2024-12-11T00:00:00.000Z", "what": "the next day begins: churn risk again"},
                {"at": "2025-03-01T10:00:00.000Z", "what": "rfm: 90.0 days of silence are passed"},
            ],
            "ledger": [
                {
                    "time": one.at,
                    "type": "invoice" if one.amount > 0 else "credit",
                    "amount": f"{one.amount:.4f}",
                    "number_hash": "af38904fbb478ca9",
                }
                for one in shopper.invoices
            ],
            "history": moves,
        }

    def all_sales(self, asked):
        first, last = self.span(asked)
        named = [(one, shopper) for shopper in self.shoppers for one in shopper.invoices]
        ever = named + [(one, None) for one in self.unnamed]
        every = [pair for pair in ever if first <= str(pair[0].day) <= last]
        months = [pair for pair in ever if first[:7] <= str(pair[0].day)[:7] <= last[:7]]

        def sums(key, more=lambda cell, pairs: {}, pairs=every):
            groups = collections.defaultdict(list)
            for one, shopper in pairs:
                groups[key(one, shopper)].append((one, shopper))
            result = []
            for group, pairs in sorted(groups.items()):
                cell = total(pairs)
                result.append((group, cell | more(cell, pairs)))
            return result

        def total(pairs):
            gross = round(sum(one.amount for one, _ in pairs if one.amount > 0), 4)
            credits = round(-sum(one.amount for one, _ in pairs if one.amount < 0), 4)
            return {
                "gross": gross,
                "credits": credits,
                "net": round(gross - credits, 4),
                "invoices": sum(one.amount > 0 for one, who in pairs if who),
                "unnamed_records": sum(who is None for _, who in pairs),
                "units": 6 * len(pairs),
            }

        def in_one(cell):  # As the book of hours counts.
            apart = ("invoices", "unnamed_records", "units")
            sold = cell["invoices"] + cell["unnamed_records"]
            money = {name: value for name, value in cell.items() if name not in apart}
            return money | {"invoices_and_unnamed_sales": sold}

        people = lambda _, pairs: {
            "customers": len({shopper.id for _, shopper in pairs if shopper})
        }
        lines = [self.line(one) for one in self.shoppers]
        cells = collections.defaultdict(lambda: [0, 0.0])
        for one in lines:
            cell = cells[one["segments"]["rfm"], one["country"]]
            cell[0] += 1
            cell[1] += one["monetary"]
        ranked = sorted((max(0, one["monetary"]) for one in lines), reverse=True)
        whole, points = sum(ranked), []
        for percent in range(5, 101, 5):
            best = ranked[: round(len(ranked) * percent / 100)]
            points.append({"customers_share": percent / 100, "revenue_share": sum(best) / whole})
        products = [
            {"stock_code": f"2{ware:04}", "description": WARES[ware], **cell}
            for ware, cell in sums(lambda one, _: one.ware, pairs=months)
        ]
        products.sort(key=lambda one: -one["net"])
        unnamed = total([pair for pair in every if pair[1] is None])
        return self.envelope() | {
            "days": [
                {"date": str(day), **cell} for day, cell in sums(lambda one, _: one.day, people)
            ],
            "countries": [
                {"country": name, **cell}
                for name, cell in sums(
                    lambda _, who: who.country if who else "United Kingdom", people
                )
            ],
            "months": [
                {"month": month, **cell} for month, cell in sums(lambda one, _: str(one.day)[:7])
            ],
            "hours": [
                {"weekday": at[0], "hour": at[1], **in_one(cell)}
                for at, cell in sums(
                    lambda one, _: (one.day.isoweekday(), one.hour), pairs=months
                )
            ],
            "products": products,
            "unnamed": {
                name: value
                for name, value in unnamed.items()
                if name in ("gross", "credits", "net")
            }
            | {"records": unnamed["unnamed_records"]},
            "unallocated": {"gross": 200.0, "credits": 76.55, "net": 123.45},
            "segments": [
                {"segment": a, "country": b, "customers": n, "monetary": round(money, 4)}
                for (a, b), (n, money) in sorted(cells.items())
            ],
            "concentration": points,
        }

    def retention(self, _):
        month = lambda day: str(day)[:7]
        cohorts = collections.defaultdict(list)
        for one in self.shoppers:
            cohorts[month(one.bought[0])].append(one)
        months = sorted({month(day) for day in self.days})
        rows = [
            {
                "month": start,
                "customers": len(mine),
                "months": [
                    {
                        "month": at,
                        "buyers": sum(any(month(day) == at for day in one.bought) for one in mine),
                        "revenue": round(
                            sum(
                                i.amount for one in mine for i in one.invoices if month(i.day) == at
                            ),
                            4,
                        ),
                        "complete": at < month(TODAY),
                    }
                    for at in months
                    if at >= start
                ],
            }
            for start, mine in sorted(cohorts.items())
        ]
        lost = {at: [0, 0] for at in months}
        for one in self.shoppers:
            for day, following in zip(one.bought, one.bought[1:] + [None]):
                gone = day + datetime.timedelta(days=90)
                if gone <= TODAY and (following is None or following > gone):
                    lost[month(gone)][0] += 1
                    if following:
                        lost[month(following)][1] += 1
        less = [one for one in self.shoppers if len(one.bought) >= 8][:25]
        return self.envelope() | {
            "cohorts": rows,
            "lost": [
                {"month": at, "lost": a, "regained": b, "complete": at < month(TODAY)}
                for at, (a, b) in lost.items()
            ],
            "spends_less_customers": len(less) + 15,
            "spends_less": [
                {
                    "customer_id": one.id,
                    "frequency": len(one.bought),
                    "aov": 100.0 + n,
                    "aov_before": 180.0 + 2 * n,
                    "missing": (80.0 + n) * len(one.bought),
                }
                for n, one in enumerate(less)
            ],
        }

    def risk(self, _):
        lines = [self.line(one) for one in self.shoppers]
        total = lambda rows: round(sum(one["value_at_risk"] for one in rows), 4)
        bins = []
        for n in range(20):
            mine = [one for one in lines if n / 20 <= one["churn_risk"] < (n + 1) / 20]
            bins.append(
                {
                    "from": n / 20,
                    "to": (n + 1) / 20,
                    "customers": len(mine),
                    "value_at_risk": total(mine),
                }
            )
        bands = [
            {
                "segment": name,
                "customers": sum(one["segments"]["churn"] == name for one in lines),
                "value_at_risk": total([one for one in lines if one["segments"]["churn"] == name]),
            }
            for name in ("High", "Medium", "Low")
        ]
        rng = random.Random(1)
        return self.envelope() | {
            "horizon_days": 90,
            "histogram": bins,
            "bands": bands,
            "value_at_risk": total(lines),
            "calibration": [
                {
                    "risk": n / 10 + 0.05,
                    "observed": min(1, max(0, n / 10 + 0.05 + rng.uniform(-0.06, 0.06))),
                    "customers": 20 + 7 * n,
                }
                for n in range(10)
            ],
            "top": sorted(lines, key=lambda one: -one["value_at_risk"])[:100],
        }

    def cluster_counts(self, _):
        fits = [
            (2, 6652.0, 0.41, 0.43, 2100.0, 0.89, 0.99),
            (3, 5068.0, 0.33, 0.34, 1800.0, 1.02, 0.97),
            (4, 4116.0, 0.32, 0.33, 1650.0, 1.01, 0.9),
            (5, 3472.0, 0.28, 0.31, 1600.0, 1.05, None),
        ]
        keys = (
            "k",
            "inertia",
            "silhouette",
            "silhouette_exact",
            "calinski_harabasz",
            "davies_bouldin",
            "stability",
        )
        axes = {
            name: [{"k": k, "inertia": 900.0 / k**bend} for k in range(1, 7)]
            for name, bend in (("recency_days", 1.5), ("frequency", 2), ("monetary", 2.5))
        }
        return self.envelope() | {
            "customers": 420,
            "k": [dict(zip(keys, fit)) for fit in fits],
            "axes": axes,
            "words": "The inertia has no clear bend.",
        }

    def settings(self, _):
        stays = '[{segment = "Low", risk = 2}, {segment = "High", risk = 1}]'
        values = {
            "segmentation.churn.scorer": "grid",
            "segmentation.churn.map": stays,
            "segmentation.churn.stay": "8d",
            "segmentation.churn.guard": "true",
        }
        return {key: {"value": value, "from": "model log"} for key, value in values.items()}

    def model(self, _):
        rng = random.Random(2)
        versions, number, day, churn = [], 0, MODEL_FROM, None
        while day <= TODAY:
            number += 1
            fit = day >= CLUSTERS_FROM and (day - CLUSTERS_FROM).days % 7 == 0
            names = [
                ("Champions", "recent, often, much", 9, 14.8, 6038.9, 0.11),
                ("Loyal", "recent, often, much", 10.5, 4.6, 1383.87, 0.2),
                ("Occasional", "recent, but not both often and much", 30.3, 1.4, 291.97, 0.24),
                ("Dormant high-value", "not recent, much", 83.9, 3.2, 1142.77, 0.25),
                ("Hibernating", "not recent, not much", 209.5, 1.2, 208.9, 0.2),
            ]
            clusters = (
                [
                    {
                        "name": a,
                        "words": w,
                        "recency_days": r * (1 + 0.01 * number),
                        "frequency": f,
                        "monetary": m,
                        "customers": int(420 * share),
                        "share": share,
                    }
                    for a, w, r, f, m, share in names
                ]
                if day >= CLUSTERS_FROM
                else []
            )
            versions.append(
                {
                    "number": number,
                    "at": f"{day}T00:00:00.000Z",
                    "what": "clusters fitted again, cuts" if fit else "cuts",
                    "clusters": clusters,
                    "inertia": 900 + rng.uniform(-20, 20) + number if fit else None,
                    "silhouette": 0.33 + rng.uniform(-0.02, 0.02) if fit else None,
                    "drift": abs(rng.gauss(0.03, 0.02)) if fit else None,
                    "customers": 400,
                    "cuts": MODEL_CUTS,
                }
            )
            if fit:
                churn = {
                    "nbd_r": 0.9,
                    "nbd_alpha_days": 61 + rng.uniform(-1, 1),
                    "intercept": -0.1,
                    "coefficients": [-0.4, 0.2, 0.1, -0.1, 0],
                }
            if fit and day + datetime.timedelta(days=90) <= TODAY:
                churn |= {
                    "auc": 0.78 + rng.uniform(-0.02, 0.02),
                    "brier": 0.17 + rng.uniform(-0.01, 0.01),
                    "calibration_error": 0.04 + rng.uniform(-0.01, 0.01),
                    "gone_share": 0.4,
                    "judged_customers": 400,
                }
            if churn:
                versions[-1]["churn"] = churn
            day += datetime.timedelta(days=1)
        return self.envelope() | {"total": len(versions), "versions": versions[-500:]}

    def score(self, asked):
        figures = float(asked["recency_days"]), float(asked["frequency"]), float(asked["monetary"])
        s, now = scores_of(figures), segments_of(figures, TODAY)
        entry = {(name, one[0]): one for name, all_of in SEGMENTS.items() for one in all_of}
        rows = [
            {
                "segmentation": name,
                "segment": segment,
                "description": entry[name, segment][2],
                "action": entry[name, segment][3],
                "scores": {axis: s[axis] for axis in "rfm"} if name == "rfm" else {},
                "cuts": CUTS if name == "rfm" else {},
                "distances": (
                    {"Champions": 2.4, "Loyal": 1.1, "Occasional": 0.9} if name == "cluster" else {}
                ),
            }
            for name, segment in now.items()
        ]
        lines = [self.line(one) for one in self.shoppers]
        return self.envelope() | {
            "segments": rows,
            "churn_risk": risk_of(figures),
            "value": 84.2,
            "if_silent": [
                {
                    "segmentation": "rfm",
                    "segment": "Need Attention",
                    "at": "2025-01-20T12:00:00.000Z",
                }
            ],
            "medians": {
                key: statistics.median(one[key] for one in lines)
                for key in ("recency_days", "frequency", "monetary")
            },
        }

    def pipeline(self, _):
        partition = {
            "id": 0,
            "lag": 12,
            "held": 3,
            "lag_seconds": 3.5,
            "event_time": AS_OF,
            "watermark": AS_OF,
            "crossing": False,
            "customers": len(self.shoppers),
            "bytes": 734003,
        }
        return {
            "phase": "running",
            "stored": False,
            "caught_up": True,
            "as_of": AS_OF,
            "records": 5870,
            "lag": 12,
            "partitions_held": 1,
            "partitions_total": 1,
            "partitions": [partition],
            "outcomes": {
                "records": 5870,
                "applied": 5210,
                "duplicate": 12,
                "ignored": 640,
                "erased": 1,
                "dead_letter": 7,
                "late": 31,
            },
            "ignored": [{"reason": "no_customer", "records": 640}],
            "dead_letters": [
                {
                    "reason": "invalid_field",
                    "records": 5,
                    "sample": "partition 0, offset 4711",
                },
                {"reason": "malformed", "records": 2, "sample": "partition 1, offset 12"},
            ],
            "commits": {
                "count": 410,
                "gap_max_ms": 680,
                "records_max": 275001,
                "bytes_max": 120586240,
            },
            "memory": {"customers": len(self.shoppers), "bytes": 734003},
            "model_version": 640,
            "obstacles": [],
        }
