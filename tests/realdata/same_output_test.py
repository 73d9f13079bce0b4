#!/usr/bin/env python3
"""Goal: what is committed does not depend on commit intervals, restarts, kills or the input's form.

Method: replays of Online Retail, one undisturbed, the others cut into commits of another size,
ended by SIGTERM and by SIGKILL and gone on with, and fed with lines or with whole invoices under
the model log of the first. Identical, per customer and in order: key, value and headers; and the
last record of each customer's current segments. The order between customers is free.
"""

import collections
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import online_retail as retail  # noqa: E402

SEED = int(os.environ.get("RFM_SEED", "1"))
RECEIVED = "2012-01-01"  # The same for all, so that the first start's wall time is in no record.
UNTIL = "2011-12-10"
KILLS = 4
SMALL_COMMITS = {
    "commit.interval": "5ms",
    "commit.interval_behind": "5ms",
    "commit.records_max": 100_000,
    "commit.bytes_max": "1MiB",
}
KEY = re.compile(r'^\{"key":("(?:[^"\\]|\\.)*")')


def arguments(path, form, directory, settings, model_log=None):
    parts = ["replay", "--input", path, "--format", form, "--until", UNTIL]
    parts += ["--received-at", RECEIVED]
    parts += ["--state", f"{directory}/state", "--output", f"{directory}/output"]
    if model_log:
        parts += ["--model-log", model_log]
    return [*parts, *retail.setting_arguments(settings)]


def replay(name, path, form, settings=None, model_log=None):
    directory = f"{HERE}/{name}"
    retail.command(*arguments(path, form, directory, settings or {}, model_log))
    return f"{directory}/output"


def transitions(output):
    """Per customer, in order."""
    history = collections.defaultdict(list)
    with open(f"{output}/transitions.jsonl", encoding="utf-8") as file:
        for line in file:
            history[KEY.match(line).group(1)].append(hash(line))
    return dict(history)


def current_segments(output):
    """The last record of each customer."""
    last = {}
    with open(f"{output}/segments.jsonl", encoding="utf-8") as file:
        for line in file:
            last[KEY.match(line).group(1)] = line
    return last


def versions(output):
    with open(f"{output}/model.jsonl", encoding="utf-8") as file:
        return [line for line in file if line.startswith('{"key":"version/')]


def export(name):
    return retail.command("export", "customers", "--state", f"{HERE}/{name}/state", "--all")


def disturbed(name, ending, rng):
    """A replay that is ended `KILLS` times, each time once it has written and its output has a
    random length, then finished."""
    directory = f"{HERE}/{name}"
    whole = os.path.getsize(f"{BASE}/transitions.jsonl")
    output = pathlib.Path(directory) / "output/transitions.jsonl"
    ended = 0
    for length in sorted(rng.randrange(whole // 50, whole * 9 // 10) for _ in range(KILLS)):
        before = output.stat().st_size if output.exists() else 0
        process = subprocess.Popen(
            [retail.BINARY, *arguments(CSV, "csv", directory, SMALL_COMMITS)],
            stdout=subprocess.DEVNULL,
        )
        while process.poll() is None:
            size = output.stat().st_size if output.exists() else 0
            if size != before and size >= length:
                process.send_signal(ending)
                break
            time.sleep(0.001)
        code = process.wait()
        cut = os.path.getsize(output) < whole
        if ending == signal.SIGTERM and code != (130 if cut else 0):
            raise RuntimeError(f"SIGTERM: exit status {code}")
        ended += cut
    if ended == 0:
        raise RuntimeError("no replay was ended before its end")
    retail.command(*arguments(CSV, "csv", directory, SMALL_COMMITS))
    return f"{directory}/output", ended


def group_lines(path):
    """The CSV with each invoice's rows together, invoices in the order of their last rows."""
    header, *lines = pathlib.Path(CSV).read_text(encoding="utf-8").splitlines(keepends=True)
    time_of = retail.TimeOfText()
    groups = {}
    for number, (row, line) in enumerate(zip(retail.rows(CSV), lines, strict=True)):
        group = groups.setdefault((row["CustomerID"], row["InvoiceNo"]), [])
        group.append(((time_of(row["InvoiceDate"]), number), line))
    ordered = sorted(groups.values(), key=lambda group: max(at for at, _ in group))
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(header)
        for group in ordered:
            file.writelines(line for _, line in sorted(group))


def setUpModule():
    global BASE, CSV, HERE, TEMPORARY
    TEMPORARY = tempfile.TemporaryDirectory(prefix="rfmstream-same-")
    HERE = TEMPORARY.name
    CSV = f"{HERE}/online_retail.csv"
    retail.unpack(CSV)
    BASE = replay("base", CSV, "csv")


def tearDownModule():
    TEMPORARY.cleanup()


class SameOutput(unittest.TestCase):
    def check(self, name, output, expected=None):
        expected = expected or BASE
        mine, base = transitions(output), transitions(expected)
        self.assertEqual(set(mine), set(base))
        differ = [key for key in base if mine[key] != base[key]]
        count = sum(len(records) for records in base.values())
        print(f"{name}: {count} transitions of {len(base)} customers, {len(differ)} differ")
        if differ:
            self.show(differ[0], expected, output)
        self.assertEqual(differ, [])
        self.assertEqual(current_segments(output), current_segments(expected))
        self.assertEqual(versions(output), versions(expected))

    def show(self, key, expected, output):
        """The first records of one customer that differ."""
        both = []
        for directory in (expected, output):
            with open(f"{directory}/transitions.jsonl", encoding="utf-8") as file:
                both.append([line for line in file if KEY.match(line).group(1) == key])
        for number, (want, got) in enumerate(zip(*both)):
            if want != got:
                print(f"customer {key}, record {number}\n  {want}  {got}")
                return
        print(f"customer {key}: {len(both[0])} records, now {len(both[1])}")

    def test_small_commits_change_nothing(self):
        output = replay("small", CSV, "csv", SMALL_COMMITS)
        self.check("commits of 5 ms or 1 MiB", output)
        self.assertEqual(export("small"), export("base"))
        shutil.rmtree(f"{HERE}/small")

    def test_an_interrupted_replay_goes_on_where_it_was(self):
        output, ended = disturbed("term", signal.SIGTERM, random.Random(SEED))
        self.check(f"SIGTERM, {ended} times", output)
        self.assertEqual(export("term"), export("base"))
        shutil.rmtree(f"{HERE}/term")

    def test_a_killed_replay_goes_on_from_its_last_commit(self):
        output, ended = disturbed("kill", signal.SIGKILL, random.Random(SEED + 1))
        self.check(f"kill -9, {ended} times", output)
        self.assertEqual(export("kill"), export("base"))
        shutil.rmtree(f"{HERE}/kill")

    def test_lines_and_invoices_give_the_same(self):
        grouped = f"{HERE}/grouped.csv"
        group_lines(grouped)
        outputs = {}
        for form in ("lines", "invoices"):
            events = f"{HERE}/{form}.jsonl"
            retail.command("import", grouped, "--as", form, "-o", events)
            outputs[form] = replay(form, events, form, model_log=f"{BASE}/model.jsonl")
            os.remove(events)
        self.check("lines and invoices", outputs["invoices"], outputs["lines"])
        self.assertEqual(versions(outputs["lines"]), versions(BASE))
        self.assertEqual(export("invoices"), export("lines"))


if __name__ == "__main__":
    if not retail.ARCHIVE.exists():
        print(f"SKIPPED: {retail.ARCHIVE} is not there")
        sys.exit(retail.SKIPPED)
    unittest.main(verbosity=1)
