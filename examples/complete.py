#!/usr/bin/python3
"""Proves that no transition is missing or doubled, from the transitions themselves.

Within one customer, birth and segmentation `seq` counts from 1 without a gap, and `from` is where
the one before led. That the last ones are there, too, shows the topic of current segments, which is
read first: it says up to which `seq` there must be some. Exit status 1 if anything is wrong.
"""

import json
import sys
import uuid

from records import arguments, records


class Chains:
    """The last transition of each customer and segmentation."""

    def __init__(self, has_gaps, joined_late):
        self.has_gaps, self.joined_late = has_gaps, joined_late
        self.last = {}

    def add(self, transition):
        """What is wrong with one that comes; empty: nothing."""
        key = transition["customer_id"], transition["segmentation"]
        last = self.last.get(key)
        # An erased customer who returns begins anew.
        if last and (last["birth"] != transition["birth"] or last["reason"] == "erasure"):
            last = None
        expected = last["seq"] + 1 if last else 1
        if transition["seq"] < expected:
            return "doubled, or out of order"
        self.last[key] = transition
        if last is None and self.joined_late:
            return ""
        if transition["seq"] > expected:
            return "" if self.has_gaps else f"{transition['seq'] - expected} missing before it"
        follows = {"segment": last["to"], "since": last["effective_at"]} if last else None
        return "" if follows in (None, transition["from"]) else "does not follow the one before"

    def missing_at_end(self, current):
        """`current`: a value of the topic of current segments."""
        for segmentation, seq in current["seq"].items():
            last = self.last.get((current["customer_id"], segmentation))
            if last is None and self.joined_late:
                continue
            if seq > (last["seq"] if last and last["reason"] != "erasure" else 0):
                yield segmentation, seq


def main():
    parser = arguments(__doc__)
    parser.add_argument("--segments-topic", default="customer-segments")
    parser.add_argument("--publish", choices=["all", "actionable"], default="all",
                        help="as output.publish is set; with actionable seq may have gaps")
    parser.add_argument("--joined-late", action="store_true",
                        help="the topic's retention has removed the first ones")
    options = parser.parse_args()
    group = f"complete-{uuid.uuid4()}"  # From the beginning, each time.
    current = {}
    for customer, _, value in records(options.brokers, options.segments_topic, group, once=True):
        current[customer] = json.loads(value) if value else None

    chains = Chains(options.publish == "actionable", options.joined_late)
    read = wrong = 0
    for customer, _, value in records(options.brokers, options.topic, group, options.once):
        transition = json.loads(value)
        finding = chains.add(transition)
        if finding:
            wrong += 1
            print(f"{customer} {transition['segmentation']} {transition['seq']}: {finding}")
        read += 1
    if options.publish == "all":
        for customer, value in current.items():
            for segmentation, seq in chains.missing_at_end(value) if value else ():
                wrong += 1
                print(f"{customer} {segmentation} {seq}: missing at the end")
    print(f"{read} transitions of {len(current)} customers, {wrong} findings")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
