"""Debian's Chromium, driven by Playwright; both may be missing."""

import contextlib
import os
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = pathlib.Path(os.environ.get("RFM_SOURCE_DIR", HERE.parent.parent))
BUILD = pathlib.Path(os.environ.get("RFM_BUILD_DIR", ROOT / "build" / "release"))
PAGE = BUILD / "page" / "dist"
sys.path.insert(0, str(ROOT / "build" / "python"))

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def browser_path():
    return next((path for path in map(shutil.which, BROWSERS) if path), None)


def missing_browser():
    """What is not there, in words; None: nothing."""
    if not browser_path():
        return "no Chromium (Debian package chromium-headless-shell)"
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "no Playwright (./dev setup)"
    return None


def missing():
    """As above, and the page."""
    if not (PAGE / "index.html").is_file():
        return f"the page is not built in {BUILD}"
    return missing_browser()


@contextlib.contextmanager
def started():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_path(), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        try:
            yield browser
        finally:
            browser.close()
