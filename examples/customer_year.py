#!/usr/bin/python3
"""One customer's history as a page: what he did, where it led, and what was to be done.

  customer_year.py HISTORY OUTPUT CUSTOMER    a file of invoices, the folder that its replay wrote
"""

import decimal
import json
import pathlib
import sys
import textwrap


def invoices_of(history, customer):
    """(time, text) of the customer's invoices and credits."""
    with open(history, encoding="utf-8") as file:
        for event in map(json.loads, file):
            if event.get("customer_id") != customer:
                continue
            amount = sum(line["quantity"] * decimal.Decimal(str(line["unit_price"]))
                         for line in event["lines"])
            did = "gave back" if event["type"] == "credit" else "bought"
            yield event["invoice_time"], f"{did} for {abs(amount):.2f}"


def transitions_of(output, customer):
    with open(pathlib.Path(output) / "transitions.jsonl", encoding="utf-8") as file:
        for record in map(json.loads, file):
            if record["key"] == customer:
                yield record["value"]


def described(t):
    advice = f"**{t['action']}**" if t["actionable"] else f"(no action: {t['suppressed_by']})"
    held = f", held back since {t['held']['since'][:10]}" if "held" in t else ""
    return (f"- `{t['segmentation']}` {t['from']['segment']} → {t['to']}, {t['reason']}{held}: "
            f"{t['explanation']} {advice}")


def main():
    history, output, customer = sys.argv[1:]
    days = {}
    for time, text in invoices_of(history, customer):
        days.setdefault(time[:10], ([], []))[0].append(text)
    transitions = list(transitions_of(output, customer))
    for t in transitions:
        days.setdefault(t["effective_at"][:10], ([], []))[1].append(described(t))
    acted = sum(t["actionable"] for t in transitions)
    print(f"# Customer {customer}: {len(transitions)} transitions, {acted} to act on")
    for day in sorted(days):
        did, led_to = days[day]
        print(f"\n**{day}** {', '.join(did) or 'nothing'}\n")
        for text in led_to or ["- no transition"]:
            print(textwrap.fill(text, 100, subsequent_indent="  ", break_on_hyphens=False))


if __name__ == "__main__":
    main()
