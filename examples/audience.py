#!/usr/bin/python3
"""Transitions as Segment's "Audience Entered" and "Audience Exited" events, one JSON object a line.

A transition is two of them: out of the segment that is left, into the one that is entered. Their
messageId is the same however often they are made, which is what Segment tells doubles by.
"""

import json
import re
import sys

from records import arguments, records


def audience_events(headers, transition):
    def event(name, segment, is_member):
        key = re.sub("[^a-z0-9]+", "_", f"{transition['segmentation']} {segment}".lower())
        return {
            "type": "track", "event": name, "userId": transition["customer_id"],
            "messageId": f"{headers['ce_id']}-{name.split()[1].lower()}",
            "timestamp": transition["effective_at"],
            "properties": {"audience_key": key, key: is_member, "reason": transition["reason"],
                           "actionable": transition["actionable"]},
            "context": {"personas": {"computation_class": "audience", "computation_key": key}}}

    left, entered = transition["from"]["segment"], transition["to"]
    if left != "none":
        yield event("Audience Exited", left, False)
    if entered != "none":
        yield event("Audience Entered", entered, True)


def main():
    options = arguments(__doc__).parse_args()
    for _, headers, value in records(options.brokers, options.topic, "audience", options.once):
        for event in audience_events(headers, json.loads(value)):
            print(json.dumps(event))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
