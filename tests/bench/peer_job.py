#!/usr/bin/python3
"""rfmstream on the job of a tuned Kafka Streams program, side by side with it: nearest of five
fixed centroids as of one day, no training, nothing that time alone changes, the same topic and the
same broker, one after the other in each run.

  peer_job.py [--peer DIR] [--copies N] [--lanes N] [--runs N]

DIR (or RFM_PEER_DIR) is the peer's: load.cpp fills the topic, streams/ is the program. Two runs of
rfmstream each time: line by line, as the peer does it (input.settle = 0s), and invoice by invoice,
which is the default and moves a customer less often. Compare figures of one run only.
"""
import argparse
import datetime
import json
import lzma
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from run import BROKER, DATA, ROOT, BrokerCpu, measured, new_application, read_topic

BUILD = ROOT / "build/peer"
# Of the peer: mean and standard deviation of log1p of R, F and M, and centroids in these units.
NAMES = ["champions", "loyal", "occasional", "dormant_high_value", "hibernating"]
PARTITIONS = 8  # load.cpp makes them.
TOPIC = "real"
PEER_OPTIONS = ["-Xms2g", "-Xmx2g", "-XX:+UseParallelGC",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]


def numbers(source, name):
    """Of `double[] NAME = {...}` or `double[][]`, the numbers in order."""
    text = re.search(rf"{name} = \{{(.*?)\}};", source, re.S)[1]
    return [float(number) for number in re.findall(r"-?\d*\.\d+", text)]


def settings_of(peer):
    """The peer's job as a settings file."""
    source = (peer / "streams/src/main/java/peer/Segments.java").read_text()
    mean, deviation, flat = (numbers(source, name) for name in ("MEAN", "SD", "CENTROIDS"))
    as_of = datetime.datetime.fromtimestamp(
        int(re.search(r"AS_OF = (\d+)L", source)[1]), datetime.timezone.utc)
    centroids, segments = [], []
    for i, name in enumerate(NAMES):
        r, f, m = (math.expm1(z * deviation[axis] + mean[axis])
                   for axis, z in enumerate(flat[3 * i:3 * i + 3]))
        centroids.append(f'{{segment = "{name}", r = {r!r}, f = {f!r}, m = {m!r}}}')
        segments.append(f'{{name = "{name}", rank = {5 - i}, description = "", actions = []}}')
    return "\n".join([
        "[input]", f'topic = "{TOPIC}"', 'format = "lines"', 'lateness = "0s"', "[input.fields]",
        'invoice_no = "/invoice_no"', 'invoice_time = "/invoice_date"',
        'customer_id = "/customer_id"', 'quantity = "/quantity"', 'unit_price = "/unit_price"',
        'country = "/country"', 'event_id = "/event_id"',
        "[model]", "training = false",
        *(f"[segmentation.{name}]\nenabled = false" for name in ("rfm", "cluster", "churn")),
        "[segmentation.nearest]", 'scorer = "cluster"',
        f"centroids = [{', '.join(centroids)}]", f"segments = [{', '.join(segments)}]",
        f"scale = [{', '.join(map(repr, deviation))}]", f'recency_at = "{as_of:%Y-%m-%d}"',
        "hysteresis = 0", "guard = false", ""])


def build(peer):
    """The peer's two programs, and what they need, in build/peer."""
    BUILD.mkdir(parents=True, exist_ok=True)
    sources = peer / "streams"
    subprocess.run(["g++", "-std=c++20", "-O2", peer / "load.cpp", "-lrdkafka", "-lpthread", "-o",
                    BUILD / "load"], check=True)
    if not (BUILD / "lib").exists():
        subprocess.run(["mvn", "-q", "-B", "-f", sources / "pom.xml",
                        "dependency:copy-dependencies", f"-DoutputDirectory={BUILD / 'lib'}"],
                       check=True)
    subprocess.run(["javac", "--release", "17", "-cp", f"{BUILD}/lib/*", "-d", BUILD / "classes",
                    *(sources / "src/main/java/peer").glob("*.java")], check=True)


def run_peer(work, endpoint, name):
    broker_pid = (work / "broker/pid").read_text().strip()
    printed = subprocess.run(
        ["java", *PEER_OPTIONS, f"-Dbootstrap={endpoint}", f"-DstateDir={work / name}",
         f"-DbrokerPid={broker_pid}", f"-Dinput={TOPIC}", f"-Dapp={name}", "-DcacheMb=256", "-cp",
         f"{BUILD}/classes:{BUILD}/lib/*", "peer.Main"],
        check=True, stdout=subprocess.PIPE, text=True).stdout
    told = json.loads(printed)
    return {"events": told["events"], "rate": told["k_events_s_from_start"] * 1000,
            "drained": told["k_events_s"] * 1000, "cpu": told["cpu_s_per_m"],
            "broker": told["broker_cpu_s_per_m"], "transitions": told["transitions"]}


def run_rfmstream(work, endpoint, name, arguments, settle):
    settings = ["--config", work / "peer.toml", "--set", f"input.settle={settle}",
                "--set", f"input.topic={TOPIC}"]
    application = new_application(endpoint, name, arguments, settings)
    broker = BrokerCpu(work)
    seconds, cpu, sampler, output = measured(
        ["run", "--state", work / name, "--until-caught-up", *application])
    events = int(re.findall(r"([\d,]+) records \(", output)[-1].replace(",", ""))
    millions = events / 1e6
    for stage, used in sampler.by_stage().items():
        if used / cpu >= .02:
            print(f"    {stage:<22}{used / millions:>8.2f} s a million events")
    return {"events": events, "rate": events / seconds, "drained": events / seconds,
            "cpu": cpu / millions, "broker": sum(broker.since().values()) / millions,
            "transitions": len(read_topic(endpoint, f"{name}-transitions"))}


def report(title, figures):
    print(f"{title:<34}{figures['events']:>11,}{figures['rate']:>11,.0f}"
          f"{figures['drained']:>11,.0f}{figures['cpu']:>8.2f}{figures['broker']:>8.2f}"
          f"{figures['transitions']:>13,}", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", default=os.environ.get("RFM_PEER_DIR"))
    parser.add_argument("--copies", type=int, default=10)
    parser.add_argument("--lanes", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    arguments.partitions = PARTITIONS
    if not arguments.peer:
        sys.exit("where is the peer? --peer DIR, or RFM_PEER_DIR")
    peer = pathlib.Path(arguments.peer)
    build(peer)
    with tempfile.TemporaryDirectory(prefix="rfmstream-peer.") as directory:
        work = pathlib.Path(directory)
        (work / "peer.toml").write_text(settings_of(peer))
        with lzma.open(DATA / "online_retail.csv.xz") as packed:
            (work / "online_retail.csv").write_bytes(packed.read())
        endpoint = subprocess.run(
            [BROKER, "start", "--dir", work / "broker", "--jit", "full", "--limits", "production"],
            check=True, capture_output=True, text=True).stdout.strip()
        try:
            subprocess.run([BUILD / "load", endpoint, TOPIC, work / "online_retail.csv", "real",
                            str(arguments.copies)], check=True)
            print(f"{'':<34}{'events':>11}{'events/s':>11}{'drained/s':>11}{'CPU':>8}{'broker':>8}"
                  f"{'transitions':>13}\n(CPU in seconds a million events; events/s from the start "
                  "of the process, drained/s of the\npeer from its first record)")
            for run in range(1, arguments.runs + 1):
                report(f"{run}: Kafka Streams, cache 256 MB",
                       run_peer(work, endpoint, f"peer{run}"))
                for name, settle in (("line by line", "0s"), ("invoice by invoice", "1m")):
                    report(f"{run}: rfmstream, {name}",
                           run_rfmstream(work, endpoint, f"job{run}-{settle}", arguments, settle))
        finally:
            subprocess.run([BROKER, "stop", "--dir", work / "broker"], check=False)


if __name__ == "__main__":
    main()
