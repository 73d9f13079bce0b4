#!/usr/bin/python3
"""Sends every actionable transition to a webhook, in order, as a CloudEvent over HTTP.

What fails in passing is tried again with growing pauses. A transition may arrive twice (the answer
was lost, or this program died between sending and committing): the receiver tells by its id, in
`ce-id` and `Idempotency-Key`, which is the same each time. One that is refused for good is named
and passed over. Without success in the end the program ends, and the next start goes on there.
"""

import json
import sys
import time
import urllib.error
import urllib.request

from records import arguments, records

PASSING = (408, 425, 429)  # Besides all from 500 on.


def send(url, headers, value, attempts_max, pause_seconds):
    """Empty when it has arrived; else why it is refused."""
    request = urllib.request.Request(url, data=value, method="POST", headers={
        "Content-Type": headers["content-type"], "Idempotency-Key": headers["ce_id"],
        **{"ce-" + name[3:]: text for name, text in headers.items() if name.startswith("ce_")}})
    for attempt in range(attempts_max):
        if attempt > 0:
            time.sleep(min(pause_seconds * 2 ** (attempt - 1), 60))
        try:
            with urllib.request.urlopen(request, timeout=10):
                return ""
        except urllib.error.HTTPError as answer:
            if answer.code < 500 and answer.code not in PASSING:
                return f"{answer.code} {answer.reason}"
            failure = answer
        except OSError as error:
            failure = error
    sys.exit(f"{url}: {failure} ({attempts_max} attempts); the next start goes on at "
             f"{headers['ce_id']}")


def main():
    parser = arguments(__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--attempts", type=int, default=10)
    parser.add_argument("--pause", type=float, default=1, help="seconds before the second attempt")
    options = parser.parse_args()
    for _, headers, value in records(options.brokers, options.topic, "webhook", options.once):
        if not json.loads(value)["actionable"]:
            continue
        refused = send(options.url, headers, value, options.attempts, options.pause)
        if refused:
            print(f"{headers['ce_id']} is refused: {refused}", file=sys.stderr)


if __name__ == "__main__":
    main()
