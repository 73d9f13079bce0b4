"""Goal: whatever moment `kill -9` hits, each transition is there once, in order, and the state is
that of a run which nobody disturbed.
Method: one history with inactivity, late, dead-letter, tick, refit and erasure records is fed
while the service runs. Each of its lives ends by SIGKILL: at a named step of a commit (a test
binary whose commit observer kills it) or at a random moment (the product's binary). A
read_committed reader that knows only the topics and the published schema follows all along. At
the end transitions, dead letters and customers must equal those of one undisturbed replay of the
same topic, and R, F and M a recomputation from the input; the books must equal the replay's, also
where the changelog alone brings them back, and of products the input's lines. With one partition
the replay trains its own model; with several it follows the recorded one and the ticks, because
when an idle partition contributes depends on the wall clock. kill_test.py --crashing BINARY
[--seed N] [--count N] [--each N] [--partitions N] [--lanes N]
"""

import argparse
import collections
import csv
import datetime
import decimal
import io
import json
import pathlib
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "kafka"))

import jsonschema  # noqa: E402
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition  # noqa: E402

from application import (Application, BINARY, Broker, SOURCE,  # noqa: E402
                         apart_from_go_live, by_customer, file_line, read_lines, read_topic)

STEPS = ("produced", "offsets_sent", "commit_sent", "commit_acknowledged", "store_writing",
         "store_written")
CLOSING = "closing"
LIFE_SECONDS_MAX = 30
CHUNKS_PER_LIFE = 5
# Ticks may come between two chunks of input, and event time must then have room for them.
GAP = datetime.timedelta(minutes=2)
SETTINGS = {"input.format": "lines", "input.lateness": "0s", "input.settle": "200ms",
            "tick.idle": "50ms", "commit.interval": "20ms", "commit.interval_behind": "50ms",
            "output.holdout": "0.1", "model.cluster_history": "7d"}


def parsed(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class History:
    """The input: (partition, key, value) in chunks. Between two chunks every partition's next
    record is an event well after all those before, so that a tick there is ahead of none."""

    def __init__(self, path, seed, partitions):
        subprocess.run([BINARY, "generate", "--format", "lines", "--customers", "900", "--days",
                        "120", "--seed", str(seed), "--late-share", "0.02", "--bad-share", "0.004",
                        "--tombstones", "40", "--output", str(path)], check=True,
                       stderr=subprocess.DEVNULL)
        self.records = [self.record_of(line, partitions) for line in path.read_bytes().splitlines()]
        self.end = max(when for *_, when in self.records if when) + datetime.timedelta(days=3)
        self.chunks = self.cut(partitions)

    @staticmethod
    def record_of(line, partitions):
        """(partition, key, value, event time or None)."""
        key, value, when = "nobody", line, None
        try:
            fields = json.loads(line)
        except ValueError:
            fields = {}
        if "headers" in fields:
            key, value = fields["key"], None
        elif fields.get("CustomerID"):
            key = fields["CustomerID"]
            if is_good(fields):
                when = parsed(fields["InvoiceDate"])
        return zlib.crc32(key.encode()) % partitions, key, value, when

    def cut(self, partitions):
        latest = [None] * partitions
        # Backwards: whether each partition's next record is an event, and when.
        following = [None] * partitions
        nexts = []
        for partition, _, _, when in reversed(self.records):
            following[partition] = when
            nexts.append(list(following))
        nexts.reverse()
        chunks, chunk = [], []
        for index, record in enumerate(self.records):
            calm = all(f is not None and (m is None or f > m + GAP)
                       for f, m in zip(nexts[index], latest))
            if chunk and calm:
                chunks.append(chunk)
                chunk = []
            chunk.append(record[:3])
            if record[3]:
                latest[record[0]] = max(latest[record[0]] or record[3], record[3])
        return chunks + [chunk]

    def merged(self, count):
        """The chunks in at most about `count` larger ones."""
        per_chunk = -(-len(self.chunks) // count)
        return [sum(self.chunks[i:i + per_chunk], [])
                for i in range(0, len(self.chunks), per_chunk)]

    def closing(self, partitions):
        """One more line for each partition, of a customer whom nothing is compared of."""
        return [(p, f"{CLOSING}-{p}", json.dumps({
            "InvoiceNo": f"closing-{p}", "StockCode": "1", "Description": "", "Quantity": 1,
            "UnitPrice": 1, "InvoiceDate": self.end.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "CustomerID": f"{CLOSING}-{p}", "Country": "Eire"}).encode())
            for p in range(partitions)]

    def customers(self):
        """Frequency, net monetary and last purchase of each customer, straight from the lines."""
        lines = collections.defaultdict(list)
        for _, key, value, when in self.records:
            if value is None:
                lines.pop(key, None)
            elif when:
                lines[key].append(json.loads(value, parse_float=decimal.Decimal))
        result = {}
        for customer, mine in lines.items():
            invoices = collections.defaultdict(decimal.Decimal)
            times = {}
            for line in mine:
                number = line["InvoiceNo"]
                amount = decimal.Decimal(line["Quantity"]) * decimal.Decimal(line["UnitPrice"])
                invoices[number] += amount.quantize(decimal.Decimal("0.0001"),
                                                    decimal.ROUND_HALF_UP)
                times[number] = max(times.get(number, ""), line["InvoiceDate"])
            bought = [n for n in invoices if not n.startswith("C")]
            if bought:
                result[customer] = (len(bought), sum(invoices.values()),
                                    max(times[n] for n in bought))
        return result

    def products(self):
        """What was sold of each product, straight from the lines: net, units and lines."""
        result = collections.defaultdict(lambda: [decimal.Decimal(), 0, 0])
        for *_, value, _ in self.records:
            try:
                fields = json.loads(value or b"{}", parse_float=decimal.Decimal)
            except ValueError:
                continue
            if is_good(fields):
                amount = decimal.Decimal(fields["Quantity"]) * decimal.Decimal(fields["UnitPrice"])
                sold = result[fields["StockCode"]]
                sold[0] += amount.quantize(decimal.Decimal("0.0001"), decimal.ROUND_HALF_UP)
                sold[1] += fields["Quantity"]
                sold[2] += 1
        return dict(result)


def is_good(fields):
    try:
        return (fields["InvoiceNo"] and isinstance(fields["Quantity"], int)
                and isinstance(fields["UnitPrice"], (int, float, decimal.Decimal))
                and fields.get("currency", "GBP") == "GBP"
                and parsed(fields["InvoiceDate"]).year < 2099)
    except (KeyError, ValueError, TypeError):
        return False


def without_actionable(flows):
    """That depends on when the application was started first."""
    sums = collections.defaultdict(lambda: [0, decimal.Decimal()])
    for row in flows:
        flow = sums[tuple(row[n] for n in ("date", "segmentation", "from", "to", "reason"))]
        flow[0] += int(row["moves"])
        flow[1] += decimal.Decimal(row["monetary"])
    return sorted(sums.items())


def first_difference(these, those):
    return [pair for a, b in zip(these, those) for pair in zip(a, b) if pair[0] != pair[1]][:2]


class Feeder(threading.Thread):
    """Writes chunk after chunk, each in a transaction of its own, up to where it may go."""

    def __init__(self, application, chunks, rng):
        super().__init__(daemon=True)
        self.producer = Producer({"bootstrap.servers": application.broker.endpoint,
                                  "transactional.id": "feeder", "linger.ms": 0})
        self.topic = application.settings["input.topic"]
        self.chunks, self.rng = chunks, rng
        self.allowed = self.fed = 0
        self.failure = None
        self.ended = False

    def run(self):
        try:
            self.producer.init_transactions(20)
            while self.fed < len(self.chunks) and not self.ended:
                if self.fed < self.allowed:
                    self.feed(self.chunks[self.fed])
                    self.fed += 1
                time.sleep(self.rng.choice((0.01, 0.03, 0.1, 0.4)))
        except Exception as error:  # Said by the main thread.
            self.failure = error

    def feed(self, chunk):
        self.producer.begin_transaction()
        for partition, key, value in chunk:
            self.producer.produce(self.topic, key=key, value=value, partition=partition)
        self.producer.commit_transaction(20)


class Checker:
    """Reads transitions as they become visible and holds them against what is promised."""

    def __init__(self, application):
        self.topic = application.settings["output.transitions"]
        schema = json.loads((SOURCE / "config/schemas/segment-transition.schema.json").read_text())
        self.schema = jsonschema.Draft202012Validator(schema)
        self.consumer = Consumer({
            "bootstrap.servers": application.broker.endpoint, "group.id": "follower",
            "isolation.level": "read_committed", "enable.auto.commit": False,
            "enable.partition.eof": True, "auto.offset.reset": "error", "fetch.wait.max.ms": 10})
        partitions = self.consumer.list_topics(self.topic, 10).topics[self.topic].partitions
        self.partitions = list(partitions)
        self.consumer.assign([TopicPartition(self.topic, p, 0) for p in partitions])
        self.seen = []
        self.ids = set()
        self.last = {}  # By customer, birth and segmentation.

    def follow(self):
        """Takes all that can be seen now."""
        ends = {p: self.consumer.get_watermark_offsets(TopicPartition(self.topic, p), 10)[1]
                for p in self.partitions}
        deadline = time.monotonic() + LIFE_SECONDS_MAX
        while True:
            positions = {tp.partition: tp.offset for tp in self.consumer.position(
                [TopicPartition(self.topic, p) for p in self.partitions])}
            if all(max(positions[p], 0) >= end for p, end in ends.items()):
                return
            assert time.monotonic() < deadline, f"transitions: {positions} of {ends}"
            for message in self.consumer.consume(500, 0.02):
                if message.error() is None:
                    self.check(message.key(), dict(message.headers()), message.value())
                else:
                    assert message.error().code() == KafkaError._PARTITION_EOF, message.error()
                    # Markers at the end move no position.
                    if message.offset() >= ends[message.partition()]:
                        ends[message.partition()] = 0

    def check(self, key, headers, value):
        transition = json.loads(value)
        if len(self.seen) % 50 == 0:
            self.schema.validate(transition)
        assert key.decode() == transition["customer_id"]
        identifier = headers["ce_id"]
        assert identifier not in self.ids, f"twice: {transition}"
        self.ids.add(identifier)
        chain = (key, transition["birth"], transition["segmentation"])
        before = self.last.get(chain)
        if before is None:
            assert transition["seq"] == 1, f"starts late: {transition}"
            assert transition["from"]["segment"] == "none", transition
        else:
            assert transition["seq"] == before["seq"] + 1, f"gap: {before} {transition}"
            assert transition["from"]["segment"] == before["to"], f"chain: {before} {transition}"
            earlier, later = (parsed(t["effective_at"]) for t in (before, transition))
            assert earlier <= later, (before, transition)
        self.last[chain] = transition
        self.seen.append((key, identifier))


class KillTest:
    def __init__(self, arguments, broker, directory):
        self.arguments = arguments
        self.rng = random.Random(arguments.seed)
        self.history = History(directory / "history.jsonl", arguments.seed, arguments.partitions)
        settings = {**SETTINGS, "run.lanes": str(arguments.lanes)}
        self.application = Application(broker, directory / "kill", "kill", arguments.partitions,
                                       settings)
        self.kills = collections.Counter()
        self.restarts_ms = []

    def run(self):
        application, arguments = self.application, self.arguments
        application.catch_up()  # Live from the first record on.
        store_file = next(application.state.glob("IDENTITY"))
        identity = store_file.read_text()
        lives = [(step, i) for step in STEPS for i in range(arguments.each)]
        lives += [("random", i) for i in range(arguments.count)]
        self.rng.shuffle(lives)
        chunks = self.history.merged(CHUNKS_PER_LIFE * (len(lives) + 1))
        self.feeder = Feeder(application, chunks, random.Random(arguments.seed + 1))
        self.feeder.start()
        self.checker = Checker(application)
        started = time.monotonic()
        for number, (step, _) in enumerate(lives):
            self.feeder.allowed = (number + 1) * len(self.feeder.chunks) // (len(lives) + 1)
            assert self.feeder.failure is None, self.feeder.failure
            if step == "random":
                self.live_shortly()
            else:
                self.live_until(step)
            self.kills[step] += 1
            if number in (len(lives) // 3, 2 * len(lives) // 3):
                self.live_until_tick()
            self.checker.follow()
            if number % 10 == 9:
                print(f"{number + 1} of {len(lives)} lives, {self.feeder.fed} of "
                      f"{len(self.feeder.chunks)} chunks, {len(self.checker.seen)} transitions, "
                      f"{time.monotonic() - started:.0f} s", flush=True)
        self.feeder.allowed = len(self.feeder.chunks) - 1
        self.live_until_tick()
        self.feeder.ended = True
        # No tick after the closing records: the clocks stop there.
        application.catch_up({"tick.idle": "1h"})
        self.feeder.feed(self.history.closing(arguments.partitions))
        application.catch_up({"tick.idle": "1h"})
        self.checker.follow()
        self.check_log()
        assert store_file.read_text() == identity, "the store was made anew"
        self.compare()
        self.report(time.monotonic() - started)

    def live_shortly(self):
        process = self.application.start()
        time.sleep(self.rng.choice((self.rng.uniform(0, 0.8), self.rng.uniform(0.5, 1.5))))
        assert process.poll() is None, f"it ended by itself: {self.application.tail_of_log()}"
        self.application.stop(signal.SIGKILL)

    def live_until_tick(self):
        """A life that reads a chunk, and then nothing until event time moves on by itself."""
        application = self.application
        while self.feeder.fed < self.feeder.allowed:
            assert self.feeder.failure is None, self.feeder.failure
            time.sleep(0.05)
        before = len(application.read("ticks"))
        application.start()
        self.feeder.allowed += 1
        application.wait_for(lambda: len(application.read("ticks")) > before,
                             "a tick of an idle partition")
        application.stop(signal.SIGKILL)

    def live_until(self, step):
        options = ["--at", step, "--occurrence", str(self.rng.randint(1, 4)),
                   "--delay-us", str(self.rng.randint(0, 1500))]
        with open(self.application.log, "a", encoding="utf-8") as log:
            process = subprocess.Popen(
                [self.arguments.crashing, *options, "run", "--state", self.application.state,
                 *self.application.arguments()], stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + LIFE_SECONDS_MAX
        while process.poll() is None:
            if time.monotonic() > deadline:
                process.kill()
                raise AssertionError(f"{step}: never came by: {self.application.tail_of_log()}")
            time.sleep(0.005)
            if time.monotonic() > deadline - LIFE_SECONDS_MAX + 2:
                self.feeder.allowed = min(self.feeder.allowed + 1, len(self.feeder.chunks))
                time.sleep(0.2)
        assert process.returncode == -signal.SIGKILL, self.application.tail_of_log()

    def check_log(self):
        text = self.application.log.read_text()
        for word in ("damaged", "restored from there", "set aside", "DataLoss", "error"):
            lines = [line for line in text.splitlines() if word in line]
            assert not lines, lines[:5]
        begun = None
        for line in text.splitlines():
            at = re.match(r"(\S+Z) ", line)
            if not at:
                continue
            if ", state in " in line:
                begun = parsed(at[1])
            elif "owns partitions [" in line and begun:
                self.restarts_ms.append((parsed(at[1]) - begun).total_seconds() * 1000)
                begun = None

    # --- at the end ---

    def compare(self):
        application = self.application
        replay = application.directory / "replay"
        arguments = ["replay", "--input", f"kafka:{application.settings['input.topic']}",
                     "--format", "lines", "--output", str(replay), "--state",
                     str(replay / "state")]
        if self.arguments.partitions > 1:
            arguments += ["--recorded"]
        else:
            arguments += ["--until", self.history.end.strftime("%Y-%m-%dT%H:%M:%SZ")]
        application.command(*arguments)
        records = [r for r in application.read("transitions")
                   if not r.key.decode().startswith(CLOSING)]
        followed = [s for s in self.checker.seen if not s[0].decode().startswith(CLOSING)]
        assert len(records) == len(followed), "a second reader sees the same"
        actual = by_customer(apart_from_go_live(map(file_line, records)))
        expected = by_customer(apart_from_go_live(read_lines(replay / "transitions.jsonl")))
        for customer in sorted(actual.keys() | expected.keys()):
            mine, theirs = actual.get(customer, []), expected.get(customer, [])
            for a, b in zip(mine, theirs):
                assert a == b, f"{customer}\n{json.dumps(a)}\n{json.dumps(b)}"
            assert len(mine) == len(theirs), f"{customer}: {len(mine)} and {len(theirs)}"
        self.reasons = collections.Counter(
            line["value"]["reason"] for lines in actual.values() for line in lines)
        for reason in ("purchase", "return", "inactivity", "late_event", "erasure",
                       "population_shift"):
            assert self.reasons[reason] > 0, f"the history has no {reason}"
        self.compare_dead_letters(replay)
        self.compare_receipts(replay)
        self.compare_customers(replay)
        self.compare_books(replay)
        self.ticks = len(application.read("ticks"))
        assert self.ticks > 0, "the history has no tick"
        self.versions = len({r.key for r in application.read("model")})

    def compare_dead_letters(self, replay):
        places = [(r.header("__streams.errors.partition"), r.header("__streams.errors.offset"),
                   r.header("__streams.errors.exception"))
                  for r in self.application.read("dead-letters")]
        self.dead_letters = len(places)
        assert len(set(places)) == len(places) > 0, "a dead letter came twice, or none"
        expected = [(line["headers"]["__streams.errors.partition"],
                     line["headers"].get("__streams.errors.offset"),
                     line["headers"]["__streams.errors.exception"])
                    for line in read_lines(replay / "dead-letters.jsonl")]
        assert sorted(places) == sorted(expected)

    def compare_receipts(self, replay):
        def place(receipt):
            return receipt["partition"], receipt["offset"]

        receipts = [r.json() for r in self.application.read("receipts")]
        self.receipts = len(receipts)
        assert len({place(r) for r in receipts}) == len(receipts) > 0, "twice, or none"
        expected = [line["value"] for line in read_lines(replay / "receipts.jsonl")]
        assert sorted(receipts, key=place) == sorted(expected, key=place)

    def customers_of(self, state):
        text = self.application.command("export", "customers", "--state", str(state)).stdout
        return {row["customer_id"]: row for row in csv.DictReader(io.StringIO(text))
                if not row["customer_id"].startswith(CLOSING)}

    def compare_customers(self, replay):
        actual = self.customers_of(self.application.state)
        expected = self.customers_of(replay / "state")
        assert actual.keys() == expected.keys()
        for customer, row in actual.items():
            assert row == expected[customer], f"{row}\n{expected[customer]}"
        batch = self.history.customers()
        assert actual.keys() == batch.keys(), actual.keys() ^ batch.keys()
        for customer, (frequency, monetary, last) in batch.items():
            row = actual[customer]
            mine = (int(row["frequency"]), decimal.Decimal(row["monetary"]),
                    parsed(row["last_purchase"]))
            assert mine == (frequency, monetary, parsed(last)), (customer, mine, frequency, last)
        self.customers = len(actual)

    def books_of(self, state):
        """All cells, as they are exported."""
        tables = (["sales"], ["sales", "--by", "hour"], ["sales", "--by", "product"],
                  ["transitions"], ["segments", "--by-day"])
        texts = [self.application.command("export", *t, "--state", str(state)).stdout
                 for t in tables]
        return [list(csv.DictReader(io.StringIO(text))) for text in texts]

    def compare_books(self, replay):
        application = self.application
        actual = self.books_of(application.state)
        # A service that has lost its directory has them from the changelog.
        application.state = application.directory / "from-changelog"
        application.catch_up({"tick.idle": "1h"})
        restored = self.books_of(application.state)
        assert restored == actual, first_difference(restored, actual)
        expected = self.books_of(replay / "state")
        for tables in (actual, expected):
            tables[3] = without_actionable(tables[3])
        assert actual == expected, first_difference(actual, expected)
        products = collections.defaultdict(lambda: [decimal.Decimal(), 0, 0])
        for row in actual[2]:
            sold = products[row["stock_code"]]
            sold[0] += decimal.Decimal(row["net"])
            sold[1] += decimal.Decimal(row["units"])
            sold[2] += int(row["lines"])
        assert products == self.history.products(), "products differ from the input's lines"
        self.cells = sum(map(len, actual))
        assert min(map(len, actual)) > 100, list(map(len, actual))

    def report(self, seconds):
        print("\nkilled at             times")
        for step in (*STEPS, "random"):
            print(f"  {step:<20} {self.kills[step]:>4}")
            if step != "random":
                assert self.kills[step] >= self.arguments.each
        self.restarts_ms.sort()
        print(f"{len(self.checker.seen)} transitions, each once, in order: {dict(self.reasons)}\n"
              f"{self.customers} customers equal to an undisturbed replay and a recomputation; "
              f"{self.dead_letters} dead letters, {self.receipts} receipts, {self.ticks} ticks, "
              f"{self.versions} records in the model log\n"
              f"{self.cells} rows of the books equal to the replay's, in the directory and from "
              "the changelog\n"
              "restart until partitions are owned: median "
              f"{statistics.median(self.restarts_ms):.0f} ms, "
              f"longest {self.restarts_ms[-1]:.0f} ms; all in {seconds:.0f} s, seed "
              f"{self.arguments.seed}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crashing", required=True, help="the test binary that kills itself")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100, help="kills at random moments")
    parser.add_argument("--each", type=int, default=5, help="kills at each step of the commit")
    parser.add_argument("--partitions", type=int, default=2)
    parser.add_argument("--lanes", type=int, default=2)
    parser.add_argument("--keep", help="copy the test's folder here if it fails")
    arguments = parser.parse_args()
    with Broker() as broker, tempfile.TemporaryDirectory(prefix="rfmstream-kill-") as directory:
        test = KillTest(arguments, broker, pathlib.Path(directory))
        try:
            test.run()
        except BaseException:
            if test.application.process is not None:
                test.application.process.kill()
            print(test.application.tail_of_log(), file=sys.stderr)
            if arguments.keep:
                shutil.copytree(directory, arguments.keep, dirs_exist_ok=True)
            raise


if __name__ == "__main__":
    main()
