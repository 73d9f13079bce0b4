"""A real broker and rfmstream as processes, for tests that look from outside. Reads nothing of
rfmstream's but its topics."""

import datetime
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition

SOURCE = pathlib.Path(os.environ.get("RFM_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
BINARY = os.environ.get("RFM_BIN", str(SOURCE / "build/release/rfmstream"))
DEADLINE_SECONDS = 60
# Timeouts of sessions and transactions; the product's own are 10 s.
QUICK = {"kafka.session_timeout": "2s", "kafka.transaction_timeout": "2s"}
FIRST_DAY = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)


def rfc3339(when):
    return when.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def invoice(number, customer, when, total="10.00", **more):
    """An invoice event as bytes."""
    return json.dumps({"event_id": f"e{number}", "type": "invoice", "invoice_no": str(number),
                       "customer_id": customer, "invoice_time": rfc3339(when), "currency": "GBP",
                       "total": total, **more}).encode()


class Broker:
    """A broker on free ports, ended and removed at the end of the block."""

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="rfmstream-broker-")
        self.endpoint = self._command("start").strip()
        return self

    def __exit__(self, *_):
        self._command("stop")
        self.directory.cleanup()

    def _command(self, name):
        return subprocess.run(
            [SOURCE / "docker/kafka/broker", name, "--dir", self.directory.name],
            check=True, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL).stdout


@dataclass(frozen=True)
class Record:
    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: tuple
    value: bytes | None

    def header(self, name):
        found = [value for key, value in self.headers if key == name]
        return found[-1].decode() if found else None

    def json(self):
        return json.loads(self.value)


def read_topic(endpoint, topic, isolation="read_committed"):
    """All records from the beginning to the end as it is now, by partition and offset."""
    consumer = Consumer({
        "bootstrap.servers": endpoint, "group.id": "checker", "isolation.level": isolation,
        "enable.auto.commit": False, "enable.partition.eof": True, "auto.offset.reset": "error",
        "fetch.wait.max.ms": 10})
    try:
        partitions = consumer.list_topics(topic, 10).topics[topic].partitions
        waiting, starts = {}, []
        for partition in partitions:
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), 10)
            if high > low:
                waiting[partition] = high
                starts.append(TopicPartition(topic, partition, low))
        records = []
        consumer.assign(starts)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while waiting:
            assert time.monotonic() < deadline, f"{topic}: no end in sight, {waiting}"
            for message in consumer.consume(1000, 0.05):
                error = message.error()
                if error is not None:
                    assert error.code() == KafkaError._PARTITION_EOF, error
                    if message.offset() >= waiting.get(message.partition(), 0):
                        waiting.pop(message.partition(), None)
                    continue
                records.append(Record(topic, message.partition(), message.offset(), message.key(),
                                      tuple(message.headers() or ()), message.value()))
        return sorted(records, key=lambda r: (r.partition, r.offset))
    finally:
        consumer.close()


class Application:
    """One application: its settings, its state directory and its process."""

    def __init__(self, broker, directory, name, partitions, settings=None, binary=BINARY,
                 create=True):
        self.broker = broker
        self.name = name
        self.binary = binary
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.state = self.directory / "state"
        self.log = self.directory / "run.log"
        self.settings = {
            "kafka.brokers": broker.endpoint, "app.name": name, "input.topic": f"{name}-input",
            "output.transitions": f"{name}-transitions", "output.segments": f"{name}-segments",
            "admin.listen": "127.0.0.1:0", **QUICK, **(settings or {})}
        self.process = None
        if create:
            self.command("topics", "create", "--partitions", str(partitions))

    def arguments(self, extra=None):
        result = []
        for key, value in {**self.settings, **(extra or {})}.items():
            result += ["--set", f"{key}={value}"]
        return result

    def command(self, *arguments, extra=None, check=True):
        done = subprocess.run([self.binary, *arguments, *self.arguments(extra)], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, timeout=DEADLINE_SECONDS * 4)
        if check and done.returncode != 0:
            raise AssertionError(f"{arguments}: {done.stderr}\n{self.tail_of_log()}")
        return done

    def catch_up(self, extra=None):
        """Runs the service until everything in the input topic is applied and committed."""
        with open(self.log, "a", encoding="utf-8") as log:
            try:
                done = subprocess.run(
                    [BINARY, "run", "--state", self.state, "--until-caught-up",
                     *self.arguments(extra)], stderr=log, stdin=subprocess.DEVNULL,
                    timeout=DEADLINE_SECONDS * 4)
            except subprocess.TimeoutExpired as late:
                raise AssertionError(f"not caught up: {late}\n{self.tail_of_log()}") from late
        assert done.returncode == 0, self.tail_of_log()

    def run_once(self, *arguments, extra=None):
        """As `catch_up`, but whatever comes of it is returned."""
        return self.command("run", "--state", self.state, "--until-caught-up", *arguments,
                            extra=extra, check=False)

    def start(self, extra=None, binary=None, environment=None):
        with open(self.log, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [binary or self.binary, "run", "--state", self.state, *self.arguments(extra)],
                stderr=log, stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})})
        return self.process

    def stop(self, how=signal.SIGTERM):
        process, self.process = self.process, None
        if process.poll() is None:
            process.send_signal(how)
        status = process.wait(DEADLINE_SECONDS)
        if how == signal.SIGTERM:
            assert status == 0, self.tail_of_log()

    def logged(self, text):
        """Anywhere in the log of all its lives: the client may say much after it."""
        return self.log.exists() and text in self.log.read_text()

    def tail_of_log(self):
        return self.log.read_text()[-4000:] if self.log.exists() else ""

    def produce(self, records, topic=None):
        """(key, value) or (key, value, headers); returns when all of them are in the log."""
        producer = Producer({"bootstrap.servers": self.broker.endpoint, "linger.ms": 5,
                             "enable.idempotence": True, "partitioner": "murmur2_random"})
        failed = []

        def delivered(error, _):
            if error is not None:
                failed.append(error)

        for key, value, *headers in records:
            producer.produce(topic or self.settings["input.topic"], key=key, value=value,
                             headers=headers[0] if headers else None, on_delivery=delivered)
            producer.poll(0)
        assert producer.flush(DEADLINE_SECONDS) == 0 and not failed, failed

    def topic(self, which):
        return {"input": self.settings["input.topic"],
                "transitions": self.settings["output.transitions"],
                "segments": self.settings["output.segments"]}.get(which, f"{self.name}-{which}")

    def read(self, which):
        return read_topic(self.broker.endpoint, self.topic(which))

    def wait_for(self, condition, what, seconds=DEADLINE_SECONDS):
        deadline = time.monotonic() + seconds
        while not condition():
            if self.process is not None and self.process.poll() is not None:
                raise AssertionError(f"the service has ended: {self.tail_of_log()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}: not within {seconds} s\n{self.tail_of_log()}")
            time.sleep(0.05)


class BrokerTest(unittest.TestCase):
    """Applications that read invoices, on one broker for all tests of the class."""

    maxDiff = 2000
    settings = {}  # Of all of them.
    partitions = 1

    @classmethod
    def setUpClass(cls):
        cls.broker = Broker().__enter__()
        cls.addClassCleanup(cls.broker.__exit__)
        temporary = tempfile.TemporaryDirectory(prefix=f"rfmstream-{cls.__name__}-")
        cls.addClassCleanup(temporary.cleanup)
        cls.directory = pathlib.Path(temporary.name)

    def application(self, name, partitions=None, broker=None, create=True, directory=None,
                    **settings):
        """`model__clusters` is the setting model.clusters."""
        plain = {key.replace("__", "."): value for key, value in settings.items()}
        return Application(broker or self.broker, self.directory / (directory or name), name,
                           partitions or self.partitions,
                           {"input.format": "invoices", **self.settings, **plain}, create=create)

    def start(self, application):
        process = application.start()
        self.addCleanup(lambda: process.poll() is None and process.kill())

    def running(self, application):
        """Started, and in possession of partitions."""
        self.start(application)
        application.wait_for(lambda: "owns partitions" in application.tail_of_log(), "start")

    def assert_refused(self, application, *arguments, status=1, extra=None):
        refused = application.run_once(*arguments, extra=extra)
        self.assertEqual(refused.returncode, status, refused.stderr)
        return refused.stderr


def file_line(record):
    """A record of a topic as the line that file mode writes."""
    headers = {key: value.decode() for key, value in record.headers}
    return {"key": record.key.decode(), "headers": headers,
            "value": None if record.value is None else json.loads(record.value)}


def read_lines(path):
    """The records of a file of file mode, comparable with file_line."""
    with open(path, encoding="utf-8") as file:
        return [json.loads(text) for text in file]


def apart_from_go_live(lines):
    """Without what depends on when the application was started first. A file has its own rule."""
    for line in lines:
        line["headers"].pop("ce_id")
        line["value"].pop("actionable")
        for name in ("action", "suppressed_by"):
            line["value"].pop(name, None)
        yield line


def by_customer(lines):
    """Order between customers is not promised."""
    result = {}
    for line in lines:
        result.setdefault(line["key"], []).append(line)
    return result
