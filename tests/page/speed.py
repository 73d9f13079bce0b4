#!/usr/bin/env python3
"""How fast the page of a running service is: first paint, first figures, and each interaction.

  tests/page/speed.py --address http://127.0.0.1:8080 [--customer ID]

An interaction is a press until the next frame is on the screen, by event timing. Figures: the time
from the press until everything of the screen is drawn, the service's answers included.
"""

import argparse
import sys
import time

import browser as browsers

SCREENS = (
    "Moves",
    "Grid",
    "Customers",
    "Sales",
    "Retention",
    "Risk",
    "Models",
    "Cluster count",
    "Score",
    "Pipeline",
)
DRAWN = """
  document.querySelector('main .panel') !== null &&
  document.querySelector('main .waiting') === null &&
  [...document.querySelectorAll('.chart')].every(one => one.dataset.drawn)
"""
WATCH = """
  window.presses = [];
  new PerformanceObserver(list => {
    for (const one of list.getEntries())
      if (one.interactionId) presses.push([one.name, Math.round(one.duration)]);
  }).observe({type: 'event', durationThreshold: 16, buffered: true});
"""


def drawn(page):
    started = time.monotonic()
    while not page.evaluate(DRAWN):
        if time.monotonic() - started > 60:
            sys.exit(f"{page.url}: not drawn within a minute")
        page.wait_for_timeout(10)
    return 1000 * (time.monotonic() - started)


def longest(page):
    page.wait_for_timeout(400)  # Entries come after the frame.
    presses = page.evaluate("presses.splice(0)")
    return max((duration for _, duration in presses), default=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--address", required=True)
    options = parser.parse_args()
    reason = browsers.missing_browser()
    if reason:
        sys.exit(reason)
    with browsers.started() as chromium:
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script(WATCH)
        page.goto(options.address)
        drawn(page)
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        whole = page.evaluate("performance.now()")
        print(f"first paint {paint:.0f} ms, figures of the overview {whole:.0f} ms")
        worst = 0
        for name in SCREENS:
            page.get_by_role("navigation", name="Screens").get_by_role("link", name=name).click()
            figures = drawn(page)
            press = longest(page)
            worst = max(worst, press)
            print(f"{name}: press {press} ms, figures {figures:.0f} ms")
        for name in ("Moves", "Sales"):
            page.get_by_role("navigation", name="Screens").get_by_role("link", name=name).click()
            drawn(page)
            for button in page.get_by_role("button", name="Table", exact=True).all():
                button.click()
            press = longest(page)
            worst = max(worst, press)
            print(f"{name}, its tables: press {press} ms")
        print(f"longest interaction {worst} ms")


if __name__ == "__main__":
    main()
