#!/usr/bin/env python3
"""Goal: rows and transitions equal those of a plain reference interpreter (interpreter.py).

Method: random segmentations (presets and others, with random damping) over random histories of
purchases, returns, revisions, duplicates, late events, erasures and silence go through a replay of
the binary; the interpreter is given the same events and the model log that the replay wrote, and
recomputes every customer at every instant. Each customer is a history of his own. A difference
shrinks: segmentations and events are left out while it stays. Then Online Retail, invoice by
invoice, with the default settings: every fifth customer is interpreted.

  reference_test.py [--histories N] [--seed N]
"""

import argparse
import csv
import datetime
import io
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import tomllib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "realdata"))
import interpreter as reference  # noqa: E402
import online_retail as retail  # noqa: E402
from interpreter import DAY  # noqa: E402

BINARY = os.environ.get("RFM_BIN", "build/release/rfmstream")
LATENESS = 60_000
START = 19_723 * DAY  # 2024-01-01.
PRESETS = ["rfm", "cluster", "churn", "grid", "quintiles", "tiers", "overall-value",
           "overall-engagement", "putler", "rfm-r", "pymc", "shopify", "value-risk"]
HISTORIES_A_RUN = 250
SHRINK_RUNS_MAX = 400


def command(*arguments):
    done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{arguments[0]}: exit status {done.returncode}\n{done.stderr[-3000:]}")
    return done.stdout


def rfc3339(ms):
    at = datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def milliseconds(text):
    at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    whole = int(at.replace(microsecond=0).timestamp())
    return whole * 1000 + at.microsecond // 1000


# --- Random rules ---------------------------------------------------------------------------------


def preset_tables():
    return {name: tomllib.loads(command("segments", "show", name, "--toml"))["segmentation"][name]
            for name in PRESETS}


def random_axis(rng, name):
    quantity = rng.choice(["recency", "recency", "frequency", "monetary", "order_value", "overdue",
                           "risk", "value"])
    bins = rng.randint(2, 4)
    cuts = {
        "recency": sorted(rng.sample(range(2, 60), bins - 1)),
        "frequency": sorted(rng.sample(range(1, 8), bins - 1)),
        "monetary": sorted(rng.sample(range(10, 400), bins - 1)),
        "order_value": sorted(rng.sample(range(5, 200), bins - 1)),
        "overdue": sorted(rng.sample([.5, 1, 1.25, 2, 3, 4.5], bins - 1)),
        "risk": sorted(rng.sample([.1, .2, .33, .5, .66, .8, .95], bins - 1)),
        "value": sorted(rng.sample(range(5, 300), bins - 1)),
    }[quantity]
    if quantity == "recency":
        cuts = [f"{days}d" for days in cuts]
    method = "fixed" if quantity == "risk" else rng.choice(["fixed", "quantile", "breaks"])
    axis = {"name": name, "quantity": quantity, "method": method, "bins": bins, "cuts": cuts,
            "margin": rng.choice([0, .03, .1, .2])}
    if quantity == "recency" and method != "fixed" and rng.random() < .5:
        days = [int(cut[:-1]) for cut in cuts]
        axis["bounds"] = [f"{d}d-{d + rng.randint(0, 20)}d" for d in days]
    return axis


def random_grid(rng):
    axes = [random_axis(rng, name) for name in "xyz"[: rng.choice([1, 1, 2, 2, 3])]]
    names = [f"Segment {i}" for i in range(rng.randint(2, 6))]
    cells = [{}]
    for axis in axes:
        low = 0 if axis["quantity"] == "overdue" else 1
        cells = [{**cell, axis["name"]: score} for cell in cells
                 for score in range(low, axis["bins"] + 1)]
    chosen = [rng.choice(names) for _ in cells]
    return {"scorer": "grid", "axes": axes,
            "map": [{"segment": name, **cell} for name, cell in zip(chosen, cells)],
            "segments": [{"name": name, "rank": rng.randint(1, 5), "lost": rng.random() < .3,
                          "actions": random_actions(rng)} for name in sorted(set(chosen))]}


def random_actions(rng):
    actions = []
    for i in range(rng.choice([0, 1, 1, 2])):
        action = {"text": f"do {i}", "on": rng.choice(["up", "down", "any"])}
        if rng.random() < .3:
            action["cooldown"] = rng.choice(["5d", "20d"])
        actions.append(action)
    return actions


def random_rules(rng, presets):
    tables = {}
    for name in rng.sample(PRESETS, rng.randint(1, 4)):
        tables[name] = json.loads(json.dumps(presets[name]))
        if rng.random() < .3:
            for axis in tables[name].get("axes", []):
                axis["margin"] = rng.choice([0, .05, .15])
    for i in range(rng.randint(0, 2)):
        tables[f"mine{i}"] = random_grid(rng)
    for table in tables.values():
        table["guard"] = rng.random() < .8
        table["stay"] = rng.choice(["0s", "3d", "8d", "8d", "15d"])
        for segment in table["segments"]:  # A condition on what is not there is left out.
            segment["actions"] = [
                a for a in segment["actions"] if set(a.get("if", {})) <= set(tables)]
    others = [(name, segment["name"]) for name, table in tables.items()
              for segment in table["segments"]]
    for name, table in tables.items():
        for segment in table["segments"]:
            for action in segment["actions"]:
                other, wanted = rng.choice(others)
                if other != name and rng.random() < .1:
                    action["if"] = {other: wanted}
    order = list(tables)
    rng.shuffle(order)
    return {"tables": tables, "quiet": rng.choice(["0s", "3d", "7d", "7d", "20d"]),
            "precedence": order[: rng.randint(1, len(order))]}


def toml(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(v)}" for key, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


SOON = ["population_on = 60", "population_off = 50", 'cluster_history = "7d"', "churn_weeks = 4"]


def settings_file(rules):
    lines = ["[model]", *rules.get("model", SOON), "[action]", f'quiet = "{rules["quiet"]}"',
             f'precedence = "{", ".join(rules["precedence"])}"']
    for name in ("rfm", "cluster", "churn"):
        if name not in rules["tables"]:
            lines += [f"[segmentation.{name}]", "enabled = false"]
    for name, table in rules["tables"].items():
        lines.append(f"[segmentation.{name}]")
        # What the preset of this name says of other segments is not wanted.
        lines += [f"{key} = {toml(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


# --- Random histories -----------------------------------------------------------------------------


def random_customer(rng, name, days):
    """Events with the time at which each is sent."""
    made, sales = [], []
    at = START + rng.randint(0, max(1, days - 20) * DAY)
    gap = rng.choice([3, 8, 20, 60]) * DAY

    def money():
        return rng.choice([rng.randint(1, 400) * 10_000, rng.randint(0, 3_000_000)])

    for number in range(rng.choice([1, 1, 2, 3, 5, 8, 14])):
        if at >= START + days * DAY:
            break
        kind = rng.random()
        event = {"type": "invoice", "number": f"{name}-{number}", "customer": name, "time": at,
                 "amount": money(), "original": "", "revision": 0, "consent": None,
                 "country": rng.choice(["Spain", "France"])}
        if rng.random() < .1:
            event["consent"] = rng.random() < .5
        if kind < .2 and sales:  # A return, in full or in part, or of a sale that comes later.
            sale = rng.choice(sales)
            event.update(type="credit", number=f"C{event['number']}")
            if rng.random() < .7:
                event["original"] = sale["number"]
            event["amount"] = rng.choice([sale["amount"], sale["amount"] // 3, money()])
        else:
            sales.append(event)
        delay = rng.choice([0] * 12 + [30_000, 90_000, 5 * 3_600_000, 3 * DAY])
        made.append((at + delay, event))
        again = rng.random()
        if again < .05:
            made.append((at + delay + rng.randint(1, 3 * DAY), dict(event)))
        elif again < .1:
            other = dict(event, amount=money(), revision=1)
            made.append((at + delay + rng.randint(1, 9 * DAY), other))
        span = [int(gap * rng.expovariate(1)) for _ in range(2)]
        at += rng.choice([0, 1, 1000, *span])
        if rng.random() < .2:  # At the very instant of a boundary.
            at = -(at // -DAY) * DAY
    if rng.random() < .06:
        made.append((rng.randint(START, START + days * DAY),
                     {"type": "tombstone", "customer": name}))
    return made


def random_history(rng, customers, days):
    made = [pair for i in range(customers) for pair in random_customer(rng, f"c{i}", days)]
    made.sort(key=lambda pair: pair[0])
    return [event for _, event in made]


def record_of(event):
    if event["type"] == "tombstone":
        return {"key": event["customer"], "value": None}
    value = {"type": event["type"], "invoice_no": event["number"],
             "customer_id": event["customer"], "invoice_time": rfc3339(event["time"]),
             "currency": "GBP", "country": event["country"],
             "total": f"{event['amount'] // 10_000}.{event['amount'] % 10_000:04d}"}
    if event["original"]:
        value["original_invoice_no"] = event["original"]
    if event["revision"]:
        value["revision"] = event["revision"]
    if event["consent"] is not None:
        value["consent"] = event["consent"]
    return {"key": event["customer"], "value": value}


# --- Both sides -----------------------------------------------------------------------------------


def product(directory, rules, events, until, model_log=None):
    """Transitions by customer, exported rows, the model log."""
    config, history = f"{directory}/settings.toml", f"{directory}/history.jsonl"
    pathlib.Path(config).write_text(settings_file(rules), encoding="utf-8")
    with open(history, "w", encoding="utf-8") as file:
        for event in events:
            file.write(json.dumps(record_of(event)) + "\n")
    with tempfile.TemporaryDirectory(dir=directory) as run:
        follow = ["--model-log", model_log] if model_log else []
        command("replay", "--input", history, "--format", "invoices", "--config", config, *follow,
                "--received-at", "2030-01-01T00:00:00Z", "--until", rfc3339(until),
                "--state", f"{run}/state", "--output", f"{run}/output")
        letters = pathlib.Path(f"{run}/output/dead-letters.jsonl")
        if letters.exists() and letters.stat().st_size:
            raise RuntimeError(f"dead letters: {letters.read_text()[:500]}")
        transitions = {}
        with open(f"{run}/output/transitions.jsonl", encoding="utf-8") as file:
            for line in file:
                record = json.loads(line)
                transitions.setdefault(record["key"], []).append(record["value"])
        log = pathlib.Path(model_log or f"{run}/output/model.jsonl").read_text(encoding="utf-8")
        text = command("export", "customers", "--state", f"{run}/state", "--all",
                       "--config", config)
        rows = {row["customer_id"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}
    return transitions, rows, log


def as_the_reference_says(value):
    held = value.get("held")
    after = value.get("after", {})
    units, _, cents = after.get("monetary", "0").partition(".")
    sign = -1 if units.startswith("-") else 1
    return {
        "segmentation": value["segmentation"], "seq": value["seq"],
        "from": value["from"]["segment"], "to": value["to"], "direction": value["direction"],
        "reason": value["reason"], "at": milliseconds(value["effective_at"]),
        "held": (held["segment"], milliseconds(held["since"])) if held else None,
        "frequency": after.get("frequency", 0),
        "monetary": sign * (abs(int(units)) * 10_000 + int(cents.ljust(4, "0"))),
        "model": value["model"], "scores": after.get("scores", {}),
        "suppressed_by": value.get("suppressed_by"), "action": value.get("action"),
    }


def expected(move):
    names = ["segmentation", "seq", "from", "to", "direction", "reason", "at", "held", "frequency",
             "monetary", "model", "scores", "suppressed_by"]
    action = move.get("action") if move["suppressed_by"] is None else None
    return {**{name: move[name] for name in names}, "action": action}


def watermarks(events):
    reached = None
    for event in events:
        if event["type"] != "tombstone":
            mark = event["time"] - LATENESS
            reached = mark if reached is None else max(reached, mark)
        event["watermark"] = reached if reached is not None else START - DAY
    return events


def compare(rules, events, until, sides, chosen=None):
    """Customers that differ, with what differs first; and how many rounding may decide."""
    transitions, rows, log = sides
    records = [json.loads(line) for line in log.splitlines()]
    models = reference.Models([r["value"] for r in records if r["key"].startswith("version/")])
    made = reference.Rules(rules["tables"], reference.duration(rules["quiet"]), rules["precedence"])
    own = {}
    for event in watermarks(events):
        own.setdefault(event["customer"], []).append(event)
    wrong, unsure, moves = {}, 0, 0
    for customer, history in own.items():
        if chosen is not None and customer not in chosen:
            continue
        out, state, close = reference.interpret(history, made, models, until)
        want = [expected(move) for move in out]
        got = [as_the_reference_says(value) for value in transitions.get(customer, [])]
        moves += len(want)
        if close:
            unsure += 1
            continue
        row = rows.get(customer)
        if row is not None:
            facts = reference.facts_at(state.invoices, until)
            want_row = {"frequency": str(facts.frequency),
                        "monetary": f"{'-' if facts.monetary < 0 else ''}"
                                    f"{abs(facts.monetary) // 10_000}."
                                    f"{abs(facts.monetary) % 10_000:04d}",
                        **{name: s.label for name, s in state.states.items()}}
            got_row = {name: row[name] for name in want_row}
        else:
            want_row = got_row = {}
            if state.invoices:
                got_row = {"frequency": "the row is not there"}
        if want != got or want_row != got_row:
            first = next(((w, g) for w, g in zip(want + [None], got + [None]) if w != g),
                         (want_row, got_row))
            wrong[customer] = first
    return wrong, unsure, moves


class Run:
    def __init__(self, directory, seed, presets, histories):
        rng = random.Random(seed)
        self.directory, self.seed = directory, seed
        self.rules = random_rules(rng, presets)
        days = rng.randint(40, 130)
        self.until = START + days * DAY
        self.events = random_history(rng, histories, days)

    def check(self):
        return compare(self.rules, self.events, self.until,
                       product(self.directory, self.rules, self.events, self.until))

    def shrunk(self, customer):
        """The smallest rules and history found that still differ."""
        rules, runs = self.rules, 0

        def differs(rules, events, model_log=None):
            nonlocal runs
            runs += 1
            try:
                sides = product(self.directory, rules, events, self.until, model_log)
            except RuntimeError:
                return None
            wrong, _, _ = compare(rules, events, self.until, sides)
            return wrong.get(customer) and (wrong[customer], sides[2])

        found = differs(rules, self.events)
        for name in list(rules["tables"]):
            fewer = {**rules, "tables": {k: v for k, v in rules["tables"].items() if k != name}}
            left = [k for k in rules["precedence"] if k != name]
            fewer["precedence"] = left or list(fewer["tables"])
            if fewer["tables"] and (smaller := differs(fewer, self.events)):
                rules, found = fewer, smaller
        log = f"{self.directory}/model.jsonl"
        pathlib.Path(log).write_text(found[1], encoding="utf-8")
        events = [event for event in self.events if event["customer"] == customer]
        if not (smaller := differs(rules, events, log)):
            return rules, self.events, found[0]  # It takes the others' events, too.
        found = smaller
        at = 0
        while at < len(events) and runs < SHRINK_RUNS_MAX:
            fewer = events[:at] + events[at + 1:]
            if fewer and (smaller := differs(rules, fewer, log)):
                events, found = fewer, smaller
            else:
                at += 1
        return rules, events, found[0]

    def report(self, wrong):
        customer = min(wrong, key=lambda c: sum(e["customer"] == c for e in self.events))
        rules, events, (want, got) = self.shrunk(customer)
        print(f"seed {self.seed}: {len(wrong)} customers differ, {customer} with the rules")
        print(settings_file(rules))
        for event in events:
            if event["customer"] == customer:
                print(json.dumps(record_of(event)))
        print(f"until {rfc3339(self.until)}\nreference: {want}\nproduct:   {got}")


def online_retail(directory, presets):
    """True if every fifth customer is as the reference says."""
    archive = f"{directory}/online_retail.csv"
    retail.unpack(archive)
    events = []
    for invoice in sorted(retail.load_invoices(archive), key=lambda i: i.last_line):
        # Lines that add up to less than nothing count like an unnamed credit.
        is_credit = invoice.credit or invoice.amount < 0
        events.append({"type": "credit" if is_credit else "invoice", "number": invoice.number,
                       "customer": invoice.customer, "time": invoice.last_line,
                       "amount": abs(invoice.amount), "original": "", "revision": 0,
                       "consent": None, "country": "United Kingdom"})
    rules = {"tables": {name: presets[name] for name in ("rfm", "cluster", "churn")},
             "quiet": "7d", "precedence": ["rfm", "churn", "cluster"], "model": []}
    until = retail.midnight("2011-12-10")
    sides = product(directory, rules, events, until)
    chosen = set(sorted({event["customer"] for event in events})[::5])
    wrong, unsure, moves = compare(rules, events, until, sides, chosen)
    print(f"Online Retail: {len(chosen)} customers, {moves} transitions, {len(wrong)} differ; "
          f"{unsure} left to rounding")
    for customer, (want, got) in list(wrong.items())[:3]:
        print(f"{customer}\nreference: {want}\nproduct:   {got}")
    return not wrong and unsure < len(chosen) / 50


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--histories", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    presets = preset_tables()
    checked = unsure = moves = 0
    seed = arguments.seed
    with tempfile.TemporaryDirectory(prefix="rfmstream-reference-") as directory:
        while checked < arguments.histories:
            run = Run(directory, seed, presets, HISTORIES_A_RUN)
            wrong, close, made = run.check()
            checked, unsure, moves = checked + HISTORIES_A_RUN, unsure + close, moves + made
            if wrong:
                run.report(wrong)
                return 1
            seed += 1
        print(f"{checked} histories, {moves} transitions equal; {unsure} left to rounding")
        if unsure >= checked / 50:
            return 1
        if not retail.ARCHIVE.exists():
            print(f"SKIPPED: {retail.ARCHIVE} is not there")
            return retail.SKIPPED
        return 0 if online_retail(directory, presets) else 1


if __name__ == "__main__":
    sys.exit(main())
