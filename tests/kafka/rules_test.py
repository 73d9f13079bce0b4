"""Goal: rules change while the service runs, at one boundary, whatever is killed; an instance with
other rules is refused; clusters that are held take effect when they are promoted, likewise;
`replay --recorded` follows what was logged."""

import contextlib
import datetime
import http.client
import json
import signal
import unittest

from admin_test import get, port_of
from application import FIRST_DAY, SOURCE, BrokerTest, by_customer, file_line, invoice, read_lines

CUSTOMERS = 40
NEW = {"segmentation.churn.enabled": "false", "segmentation.tiers.preset": "putler"}


def days(first, end):
    """Each day a fifth of the customers, who come at intervals of their own, buy something."""
    for day in range(first, end):
        for customer in range(CUSTOMERS):
            if (day * 7 + customer * (1 + customer % 4)) % 5 == 0:
                when = FIRST_DAY + datetime.timedelta(days=day, minutes=customer)
                yield f"c{customer}", invoice(f"{day}-{customer}", f"c{customer}", when,
                                              f"{10 + customer}.00")


class RulesTest(BrokerTest):
    settings = {"model.population_on": "20", "model.population_off": "10",
                "model.cluster_history": "7d"}
    partitions = 2

    def rules_changes(self, application):
        return [r.json() for r in application.read("transitions")
                if r.json()["reason"] == "rules_change"]

    def changes_of_everybody(self, application):
        """What rules version 2 made of NEW, seen to be whole and at one instant."""
        changes = self.rules_changes(application)
        self.assertEqual({(c["segmentation"], c["rules"]) for c in changes},
                         {("churn", 2), ("tiers", 2)})
        self.assertEqual(len({c["effective_at"] for c in changes}), 1)
        self.assertEqual(len(changes), 2 * CUSTOMERS)
        return changes

    def assert_recorded_replay_equals(self, application):
        audit = application.directory / "audit"
        application.command("replay", "--input", f"kafka:{application.settings['input.topic']}",
                            "--recorded", "--output", audit)
        live = by_customer(map(file_line, application.read("transitions")))
        again = by_customer(read_lines(audit / "transitions.jsonl"))
        self.assertEqual(sorted(again), sorted(live))
        for customer, lines in live.items():
            self.assertEqual(again[customer], lines, customer)

    def test_an_apply_holds_from_one_boundary_whatever_is_killed(self):
        application = self.application("live")
        application.produce(days(0, 40))
        application.catch_up()
        self.running(application)
        asked = application.command("rules", "apply", "--wait", "0", extra=NEW)
        self.assertIn("asked for rules version 2", asked.stdout)
        application.stop(signal.SIGKILL)
        # Asked for, not logged: it may be started with either.
        application.settings.update(NEW)
        self.running(application)
        application.wait_for(lambda: any(r.key == b"rules/2" for r in application.read("model")),
                             "rules/2")
        application.produce(days(40, 42))
        application.wait_for(lambda: self.rules_changes(application), "the boundary")
        application.stop(signal.SIGKILL)
        # Nobody has brought the file in step: what was applied holds.
        for key in NEW:
            del application.settings[key]
        self.running(application)
        application.wait_for(
            lambda: application.logged("rules version 1, and version 2 holds"), "the warning")
        application.stop(signal.SIGKILL)
        application.settings.update(NEW)
        old = {key: "true" for key in NEW if key.endswith("enabled")}
        refused = self.assert_refused(application, status=2, extra=old)
        self.assertIn("segmentation.churn", refused)
        self.assertIn("rules diff", refused)
        application.produce(days(42, 60))
        application.catch_up()
        changes = self.changes_of_everybody(application)
        self.assertEqual({c["actionable"] for c in changes}, {False})
        current = {r.key: r.json() for r in application.read("segments")}
        self.assertEqual(len(current), CUSTOMERS)
        for segments in current.values():
            self.assertEqual(sorted(segments["segments"]), ["cluster", "rfm", "tiers"])
            self.assertEqual(segments["rules_version"], 2)
        self.assert_recorded_replay_equals(application)

    def test_the_rules_lab_asks_as_the_command_does(self):
        application = self.application("lab")
        token = application.directory / "token"
        token.write_text("0123456789abcdef-lab\n")
        application.settings["admin.token_file"] = str(token)
        application.settings["kafka.properties.sasl.password"] = "hunter2"
        application.produce(days(0, 40))
        application.catch_up()
        self.running(application)
        toml = '[segmentation.churn]\nenabled = false\n[segmentation.tiers]\npreset = "putler"\n'

        def post(path, key):
            connection = http.client.HTTPConnection("127.0.0.1", port_of(application), timeout=20)
            with contextlib.closing(connection):
                connection.request("POST", path, toml, {"Authorization": f"Bearer {key}"})
                answer = connection.getresponse()
                return answer.status, json.loads(answer.read())

        def tried():
            status, answer = post("/rules/dry-run", "0123456789abcdef-lab")
            return answer if status == 200 else None

        def settings():
            return json.loads(get(application, "/config")[1] or "{}")

        application.wait_for(lambda: get(application, "/readyz")[0] == 200, "readiness")
        before = settings()
        self.assertEqual(before["segmentation.churn.enabled"],
                         {"value": "true", "from": "model log"})
        self.assertNotIn("segmentation.tiers.scorer", before)
        for path in ("/rules/dry-run", "/rules/apply"):
            self.assertEqual(post(path, "0123456789abcdef-lax")[0], 401)
        application.wait_for(tried, "a dry run")
        trial = tried()
        self.assertEqual(trial["customers_moved"], CUSTOMERS)
        self.assertEqual(application.read("requests"), [])
        status, answer = post("/rules/apply", "0123456789abcdef-lab")
        self.assertEqual(status, 202)
        self.assertIn("asked for rules version 2", answer["what"])
        status, answer = post("/rules/apply", "0123456789abcdef-lab")
        if not any(r.key == b"rules/2" for r in application.read("model")):
            self.assertEqual((status, answer["reason"]), (409, "asked_already"), answer)
        paths = json.loads((SOURCE / "docs/openapi.json").read_text())["paths"]
        said = paths["/rules/apply"]["post"]["responses"]["409"]["description"]
        self.assertIn("`asked_already`", said)
        application.wait_for(lambda: any(r.key == b"rules/2" for r in application.read("model")),
                             "rules/2")
        # What the lab begins with is in force, else the next change takes this one back.
        changed = {"value": "false", "from": "model log"}
        application.wait_for(
            lambda: settings()["segmentation.churn.enabled"] == changed, "the settings")
        after = settings()
        self.assertEqual(after["segmentation.tiers.scorer"]["value"], "grid")
        self.assertEqual(after["segmentation.rfm.stay"]["value"],
                         before["segmentation.rfm.stay"]["value"])
        self.assertEqual(after["kafka.properties.sasl.password"],
                         {"value": "(not shown)", "from": "--set"})
        own = [key for key in before if key.startswith(("admin.", "app.", "kafka.", "run."))]
        self.assertEqual({key: after[key] for key in own}, {key: before[key] for key in own})
        application.produce(days(40, 42))
        application.wait_for(lambda: self.rules_changes(application), "the boundary")
        # The file is that of before still.
        application.stop(signal.SIGKILL)
        self.running(application)
        application.wait_for(
            lambda: settings().get("segmentation.churn.enabled") == changed, "the settings again")
        application.settings.update(NEW)
        application.stop(signal.SIGKILL)
        application.produce(days(42, 60))
        application.catch_up()
        self.changes_of_everybody(application)
        self.assertNotIn("0123456789abcdef-la", application.log.read_text())
        self.assert_recorded_replay_equals(application)

    def test_a_running_service_follows_and_goes_back(self):
        application = self.application("back")
        application.produce(days(0, 30))
        application.catch_up()
        first = dict(application.settings)
        self.running(application)
        applied = application.command("rules", "apply", extra=NEW)
        self.assertIn("rules version 2 is logged", applied.stdout)
        application.produce(days(30, 36))
        application.wait_for(lambda: self.rules_changes(application), "the boundary")
        rolled = application.command("rules", "rollback", "--to", "1")
        self.assertIn("rules version 3 is logged", rolled.stdout)
        application.produce(days(36, 42))
        application.wait_for(lambda: any(c["rules"] == 3 for c in self.rules_changes(application)),
                             "the way back")
        application.stop()
        self.assertEqual(application.settings, first)
        application.catch_up()
        shown = application.command("rules", "show").stdout
        self.assertIn("Version 3", shown)
        self.assert_recorded_replay_equals(application)

    def newest_model(self, application):
        versions = [r.json() for r in application.read("model") if r.key.startswith(b"version/")]
        return max(versions, key=lambda version: version["trained_epoch"])

    def test_clusters_that_are_held_are_taken_when_they_are_promoted(self):
        application = self.application("promoted", model__moved_max="0",
                                       model__challenger_gain="0")
        application.produce(days(0, 65))
        application.catch_up()
        refused = application.command("model", "promote", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("no clusters are held", refused.stderr)
        self.assertEqual(application.read("requests"), [])
        alone = application.command("model", "promote", extra={"kafka.brokers": "127.0.0.1:1"},
                                    check=False)
        self.assertIn("taken by the running service", alone.stderr)
        end = 65
        while "held" not in self.newest_model(application):
            self.assertLess(end, 300, "no challenger was held")
            application.produce(days(end, end + 7))
            application.catch_up()
            end += 7
        held = self.newest_model(application)["held"]
        self.assertTrue(application.logged("model.moved_max"))
        self.assertIn("Held since", application.command("model", "show").stdout)
        self.running(application)
        asked = application.command("model", "promote")
        self.assertIn("asked for the clusters held since", asked.stdout)
        application.stop(signal.SIGKILL)
        application.produce(days(end, end + 2))
        self.running(application)
        application.wait_for(lambda: "held" not in self.newest_model(application), "a promotion")
        application.stop(signal.SIGKILL)
        application.catch_up()
        [promoted] = [r.json() for r in application.read("model")
                      if r.key.startswith(b"version/")
                      and r.json().get("clusters") == held["clusters"]][:1]
        self.assertEqual(promoted["cluster_change"], "challenger")
        self.assertNotIn("held", promoted)
        self.assertIn("no clusters are held",
                      application.command("model", "promote", check=False).stderr)
        self.assert_recorded_replay_equals(application)

    def test_what_cannot_change_is_refused(self):
        application = self.application("fixed")
        unknown = application.command("rules", "show", check=False)
        self.assertEqual(unknown.returncode, 1)
        self.assertIn("no rules yet", unknown.stderr)
        application.produce(days(0, 3))
        application.catch_up()
        refused = application.command("rules", "apply", extra={"rfm.window": "90d"}, check=False)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("rfm.window", refused.stderr)
        self.assertEqual(application.read("requests"), [])


if __name__ == "__main__":
    unittest.main()
