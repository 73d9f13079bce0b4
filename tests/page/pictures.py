#!/usr/bin/env python3
"""Takes the README's pictures from the page that a running service shows.

  tests/page/pictures.py --address http://127.0.0.1:8080 --customer 12347 --to docs/pictures

Each screen once in light and once in dark; only the part that fits a window, or all of it with
--whole. Needs what ./dev setup installs.
"""

import argparse
import pathlib
import sys

import browser as browsers

SCREENS = {
    "overview": "/",
    "moves": "/moves",
    "grid": "/grid",
    "customers": "/customers?sort=value_at_risk",
    "customer": "/c/{customer}?span=all",
    "sales": "/sales",
    "retention": "/retention",
    "risk": "/risk",
    "models": "/models",
    "k": "/k",
    "rules": "/rules",
    "score": "/score",
    "pipeline": "/pipeline",
}
DRAWN = """
  document.querySelector('main .panel') !== null &&
  document.querySelector('main .waiting') === null &&
  [...document.querySelectorAll('.chart')].every(one => one.dataset.drawn)
"""


def take(page, path, whole):
    for _ in range(1000):
        if page.evaluate(DRAWN):
            break
        page.wait_for_timeout(30)
    else:
        sys.exit(f"{page.url}: never drawn")
    page.wait_for_timeout(300)
    page.screenshot(path=path, full_page=whole)
    print(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--address", required=True)
    parser.add_argument("--customer", required=True, help="whose screen is shown")
    parser.add_argument("--to", required=True, type=pathlib.Path)
    parser.add_argument("--screens", default=",".join(SCREENS))
    parser.add_argument("--schemes", default="light,dark")
    parser.add_argument("--whole", action="store_true")
    options = parser.parse_args()
    reason = browsers.missing_browser()
    if reason:
        sys.exit(reason)
    options.to.mkdir(parents=True, exist_ok=True)
    with browsers.started() as chromium:
        for scheme in options.schemes.split(","):
            tab = chromium.new_context(viewport={"width": 1280, "height": 860}, color_scheme=scheme)
            page = tab.new_page()
            for name in options.screens.split(","):
                place = SCREENS[name].format(customer=options.customer)
                page.goto(f"{options.address.rstrip('/')}/#{place}")
                take(page, options.to / f"{name}-{scheme}.png", options.whole)
            tab.close()


if __name__ == "__main__":
    main()
