#!/usr/bin/env python3
"""Takes pictures of the page that a running service shows; as it is, the README's, of ./dev demo.

  ./dev demo                  # in one terminal
  tests/page/pictures.py      # in another

Only the part that fits a window, or all of it with --whole. Needs what ./dev setup installs, and
pngquant (Debian's) for files a third as large.
"""

import argparse
import pathlib
import shutil
import subprocess
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
README = "overview-light,moves-light,grid-dark,customer-dark"
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
    picture = page.screenshot(full_page=whole)
    if shutil.which("pngquant"):
        command = ["pngquant", "--speed", "1", "--strip", "128", "-"]
        picture = subprocess.run(command, input=picture, capture_output=True, check=True).stdout
    path.write_bytes(picture)
    print(f"{path}: {len(picture) // 1024} KiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--address", default="http://127.0.0.1:7367")
    parser.add_argument("--customer", default="11619", help="whose screen is shown")
    parser.add_argument("--to", default=browsers.ROOT / "docs" / "pictures", type=pathlib.Path)
    parser.add_argument("--pictures", default=README, help="SCREEN-SCHEME,...; all: each of both")
    parser.add_argument("--whole", action="store_true")
    options = parser.parse_args()
    reason = browsers.missing_browser()
    if reason:
        sys.exit(reason)
    options.to.mkdir(parents=True, exist_ok=True)
    wanted = options.pictures.split(",")
    if wanted == ["all"]:
        wanted = [f"{screen}-{scheme}" for scheme in ("light", "dark") for screen in SCREENS]
    with browsers.started() as chromium:
        for name in wanted:
            screen, _, scheme = name.rpartition("-")
            tab = chromium.new_context(viewport={"width": 1280, "height": 860}, color_scheme=scheme)
            page = tab.new_page()
            place = SCREENS[screen].format(customer=options.customer)
            page.goto(f"{options.address.rstrip('/')}/#{place}")
            take(page, options.to / f"{name}.png", options.whole)
            tab.close()


if __name__ == "__main__":
    main()
