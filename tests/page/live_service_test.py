#!/usr/bin/env python3
"""The page of a running service, in a real browser.

Goal: as served_state_test.py, of `run` on a real broker; and what happens is seen without a reload.
Method: Online Retail as invoices in a topic, two partitions and two lanes, Chromium. Skipped
without Chromium, Playwright, the page or the data.
"""

import contextlib
import datetime
import pathlib
import re
import sys
import tempfile
import unittest
import urllib.error
import urllib.parse
import urllib.request

import browser as browsers
import page_test
import retail_screens
from page_test import number
from retail_screens import retail

sys.path.insert(0, str(browsers.HERE.parent / "kafka"))

from application import Application, Broker, invoice  # noqa: E402


TOKEN = "only-for-this-test"
RULES = '[segmentation.rfm]\nstay = "30d"\n'
# Leaves segments as other tests find them.
OTHERS = '[action]\nquiet = "8d"\n[segmentation.churn]\nstay = "9d"\n'


class LiveService(retail_screens.RetailService):
    """`rfmstream run` that has read all of it."""

    def __init__(self, broker, folder):
        self.sheet = retail_screens.new_sheet(folder)
        token = folder / "token"
        token.write_text(f"{TOKEN}\n")
        token.chmod(0o400)
        self.application = Application(
            broker, folder, "shop", 2,
            {"input.format": "invoices", "run.lanes": "2", "admin.token_file": str(token)})
        self.application.command("import", str(self.sheet), "--as", "invoices", "--kafka")
        self.application.catch_up()
        self.application.log.unlink()
        self.application.start()
        self.application.wait_for(lambda: self.application.logged("are at http"), "the page")
        found = re.search(r"are at (http://127\.0\.0\.1:\d+)/", self.application.log.read_text())
        self.address = found.group(1)
        self.application.wait_for(self.is_ready, "readiness")

    def is_ready(self):
        with contextlib.suppress(urllib.error.HTTPError):
            return urllib.request.urlopen(f"{self.address}/readyz").status == 200
        return False

    def run(self, *arguments):
        return self.application.command(*arguments, "--state", str(self.application.state)).stdout


def setUpModule():
    page_test.setUpModule()


def tearDownModule():
    page_test.tearDownModule()


class LiveState(retail_screens.RetailScreens):
    @classmethod
    def setUpClass(cls):
        broker = Broker().__enter__()
        cls.addClassCleanup(broker.__exit__)
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.service = LiveService(broker, pathlib.Path(folder.name))
        cls.addClassCleanup(cls.service.application.stop)

    def test_what_happens_is_seen_without_a_reload(self):
        before = len(self.service.known)
        self.show("/")
        shown = self.page.locator(".numbers dd").first
        self.assertEqual(number(shown.inner_text()), before)
        when = datetime.datetime(2011, 12, 9, 12, 51, tzinfo=datetime.timezone.utc)
        self.service.application.produce([("newcomer", invoice("9000001", "newcomer", when))])
        self.until(
            "document.querySelector('.numbers dd').innerText.replace(/\\D/g, '') === "
            f"'{before + 1}'")
        self.addCleanup(self.erase, before)

    def press(self, button, rules=RULES, token=TOKEN):
        self.show(f"/rules?rules={urllib.parse.quote(rules)}")
        self.page.get_by_label("Token").fill(token)
        self.page.get_by_role("button", name=button).click()

    def test_rules_are_tried_and_applied_with_the_token_alone(self):
        self.press("Dry run", token="another")
        self.page.locator(".trouble").wait_for()
        self.assertIn("not the one of the service", self.page.locator(".trouble").inner_text())
        self.press("Dry run")
        self.figure("differences").wait_for()
        self.assertEqual(self.table("differences"), [["segmentation.rfm.stay", "8d", "30d"]])
        request = urllib.request.Request(
            f"{self.service.address}/rules/dry-run", data=RULES.encode(),
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/toml"})
        answer = self.answer(request)
        said = re.search(r"([\d,.]+) then", self.figure("dry-run").inner_text())
        self.assertAlmostEqual(number(said[1]), answer["transitions_per_day"]["then"], delta=.1)
        self.page.on("dialog", lambda dialog: dialog.accept())
        self.press("Apply", OTHERS)
        self.page.locator(".done").wait_for()
        self.service.application.wait_for(
            lambda: "Version 2" in self.service.application.command("rules", "show").stdout,
            "the rules in the model log")
        # What is begun with is what was applied, though nobody has loaded the screen anew.
        self.until("[...document.querySelectorAll('option')].some(one => "
                   "one.text === 'churn: damping' && one.value.includes('stay = \"9d\"'))")

    def erase(self, before):
        """So that other tests find the CSV's customers."""
        self.service.application.produce([("newcomer", None)])
        self.until(
            f"document.querySelector('.numbers dd').innerText.replace(/\\D/g, '') === '{before}'")


if __name__ == "__main__":
    reason = retail_screens.reason_to_skip(browsers)
    if reason:
        print(f"skipped: {reason}")
        sys.exit(retail.SKIPPED)
    unittest.main(verbosity=2)
