#!/usr/bin/env python3
"""Keeps includes flowing one way and without circles, third-party headers and virtual functions
where they belong, sizes sane, dead files and banned words out of the tree, and the picture in
docs/architecture.md true (UPDATE_DOCS=1 rewrites it).

Looks at the files git tracks (all files where there is no git). Prints `path:line: finding`; exit
status 1 if there is any.
"""

import ast
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = pathlib.Path(os.environ.get("RFM_SOURCE_DIR", HERE.parent))

# Folder -> folders it may include besides itself. The longest matching folder counts.
BELOW_STREAM = {"state", "model"}
ROOMS = {
    "stream/text": set(),
    "stream/record": {"stream/text"},
    "stream/decode": {"stream/text", "stream/record"},
    "stream/format": {"stream/text", "stream/record", "stream/decode"},
    "stream/pipeline": {"stream/text", "stream/record", "stream/decode", "stream/format"},
    "stream/kafka": {"stream/text", "stream/record", "stream/format"},
    "stream/file": {"stream/text", "stream/record", "stream/format", "stream/decode"},
    "stream/generate": {"stream/text", "stream/record"},
    "stream/analyse": {
        "stream/text",
        "stream/record",
        "stream/decode",
        "stream/format",
        "stream/pipeline",
    },
}
ROOMS["stream/run"] = set(ROOMS) - {"stream/generate"}
ROOMS["stream/evaluate"] = {
    "stream/text",
    "stream/format",
    "stream/pipeline",
    "stream/analyse",
    "stream/run",
}
ROOMS["stream/report"] = {"stream/text", "stream/analyse", "stream/evaluate"}
MAY_INCLUDE = {
    "model": set(),
    "state": {"model"},
    **{room: BELOW_STREAM | below for room, below in ROOMS.items()},
    "config": BELOW_STREAM | set(ROOMS),
    "admin": BELOW_STREAM | set(ROOMS) - {"stream/generate", "stream/evaluate", "stream/report"},
    "stream/app": BELOW_STREAM | set(ROOMS) | {"config", "admin"},
    "tests": BELOW_STREAM | set(ROOMS) | {"config", "admin", "stream/app"},
}
CODE_FOLDERS = ("model", "state", "stream", "config", "admin")
# Third-party headers, by the beginning of their name -> the files, or the folder with its slash,
# that may include them. All others of C++, POSIX, Abseil and fmt are free.
THIRD_PARTY = {
    "CLI/": ["stream/app/"],
    "Eigen/": ["model/churn.cc", "model/kmeans.cc"],
    "emmintrin.h": ["model/two_doubles.h", "stream/text/byte_block.h"],
    "httplib.h": ["admin/admin_server.cc", "admin/limited_stream.h"],
    "immintrin.h": [],
    # The partitioner of the client itself.
    "librdkafka/": ["stream/kafka/", "stream/decode/input_partitioner.cc"],
    "lzma.h": ["stream/file/xz_unpacker.cc"],
    "prometheus/": ["admin/metrics.cc"],
    "rocksdb/": ["state/rocksdb_state_store.cc"],
    "simdjson.h": [
        "stream/app/tail_command.cc",
        "stream/decode/json_fields.cc",
        "stream/file/envelope.cc",
        "stream/format/log_fields.h",
        "stream/format/tick.cc",
        "stream/text/utf8.cc",
    ],
    "spdlog/": [
        "admin/admin_server.cc",
        "stream/app/log_output.cc",
        "stream/app/run_admin.cc",
        "stream/app/run_command.cc",
        "stream/app/settings_author.cc",
        "stream/kafka/kafka_handles.cc",
        "stream/run/",
    ],
    "sqlite3.h": ["stream/app/sqlite_file.cc", "tests/app/export_tables_test.cc"],
    "systemd/": ["admin/systemd_notifier.cc"],
    "toml++/": ["config/toml_reader.cc"],
    "xxhash.h": ["state/hashes.cc"],
}
# Where functions may be virtual, and why.
SEAMS = {
    "admin/rules_author.h": "the settings and the model log, which only the commands know",
    "state/state_store.h": "RocksDB, or memory in tests",
    "stream/format/model_log_writer.h": "a topic, a state directory, or memory in tests",
    "stream/record/clock.h": "the machine's clocks, or a clock that tests move",
    "stream/record/commit_observer.h": "tests die between the steps of a commit",
    "stream/record/event_source.h": "Kafka, a file, or memory in tests",
    "stream/record/output_sink.h": "Kafka, files, nothing, or memory in tests",
    "stream/kafka/rebalance_listener.h": "a lane of the service, or tests",
    "stream/pipeline/lane_query.h": "what is asked of a lane is of whoever asks",
    "stream/pipeline/lane_observer.h": "the summary of a replay and figures on models look on",
    "stream/run/rules_reader.h": "the settings, or tests that take any rules",
    "stream/run/service_host.h": "the command, or tests that ask and listen",
    "stream/pipeline/partition_listener.h": "a partition knows neither its lane nor the trainer",
}
# From a record to its transition, in order, for who reads the code for the first time.
RECORD_TO_TRANSITION = {
    "stream/pipeline/lane.cc": "`step`: reads a batch of one partition, commits",
    "stream/decode/decoder.cc": "a record's bytes to an event, or why not",
    "stream/pipeline/partition.cc": "`process`: moves the clock, applies the event",
    "state/invoice_ledger.cc": "the customer's invoices and what follows from them",
    "state/advance.cc": "the one function that owns time; evaluates at events",
    "state/evaluation.cc": "what follows from a customer's invoices at an instant",
    "state/segmenter.cc": "what a segmentation calls for",
    "state/axis_scorer.h": "the scores of a grid",
    "state/damping.cc": "from what is called for to the segment that is published",
    "state/restraint.cc": "what of that may be acted on",
    "stream/pipeline/lane_partition.cc": "what the partition says to the lane's transaction",
    "stream/format/transition_writer.cc": "headers and JSON of the transition",
}
RECORD_TO_TRANSITION_LINES_MAX = 2500
ARCHITECTURE = "docs/architecture.md"
ARCHITECTURE_LINES_OFF_MAX = 50  # By so much a file may grow before its line count there is wrong.
SOURCE_LINES_MAX = 450
SOURCE_LINES_ALLOWED = {}  # Path -> reason why this file may be longer.
FUNCTION_LINES_MAX = 100
COLUMNS_MAX = 100
FILE_BYTES_MAX = 1_000_000
BANNED_FILE_WORDS = {"util", "utils", "helper", "helpers", "manager", "common", "base", "misc"}
MEASURED_SUFFIXES = {".h", ".cc", ".py", ".sh", ".cmake", ".toml", ".yaml", ".yml", ""}
# Spelled in pieces, so that this file does not contain what it forbids.
BANNED_TEXT = ["/" + folder + "/" for folder in ("work", "farm", "root")] + [
    ".".join(host)
    for host in (
        ("pypi", "org"),
        ("registry", "npmjs", "org"),
        ("repo1", "maven", "org"),
        ("repo", "maven", "apache", "org"),
        ("deb", "debian", "org"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
    )
]

findings = []


def report(path, line, finding):
    findings.append(f"{path}:{line}: {finding}")


def tracked_files():
    try:
        out = subprocess.run(
            ["git", "-C", str(ROOT), "ls-files", "-z"], check=True, capture_output=True
        ).stdout
        names = [name for name in out.decode().split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        names = []
        for folder, folders, files in os.walk(ROOT):
            folders[:] = [f for f in folders if f not in ("build", ".git", ".cache", "__pycache__")]
            names += [os.path.relpath(os.path.join(folder, file), ROOT) for file in files]
    return sorted(name for name in names if (ROOT / name).is_file())


def folder_of(name):
    """The folder of MAY_INCLUDE that holds `name`, or None."""
    parents = [str(parent) for parent in pathlib.PurePosixPath(name).parents]
    return next((parent for parent in parents if parent in MAY_INCLUDE), None)


def check_includes(name, lines, files, included, includes):
    mine = folder_of(name)
    for number, line in enumerate(lines, 1):
        match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if not match:
            continue
        target = match.group(1)
        included.add(target)
        if target not in files:
            if (ROOT / name).parent.joinpath(target).exists():
                report(name, number, f'include "{target}" is not rooted at the repository')
            elif target.split("/")[0] in CODE_FOLDERS + ("tests",):
                report(name, number, f'include "{target}" does not exist or is not tracked')
            continue
        includes.setdefault(name, set()).add(target)
        theirs = folder_of(target)
        if mine and theirs != mine and theirs not in MAY_INCLUDE[mine]:
            report(name, number, f"{mine}/ may not include {theirs}/ ({target})")


def check_third_party(name, lines):
    for number, line in enumerate(lines, 1):
        match = re.match(r"\s*#\s*include\s+[<\"]([^>\"]+)[>\"]", line)
        header = match.group(1) if match else ""
        for prefix, places in THIRD_PARTY.items():
            if header.startswith(prefix) and not name.startswith(tuple(places)):
                where = ", ".join(places) or "nowhere"
                report(name, number, f"<{header}> belongs to {where} (THIRD_PARTY in tidy_test.py)")


def check_virtual(name, lines):
    if name in SEAMS:
        return
    for number, line in enumerate(lines, 1):
        if re.search(r"\bvirtual\b", line.split("//")[0]):
            report(name, number, "a virtual function outside the seams (SEAMS in tidy_test.py)")


def check_circles(includes):
    """A header and its source are one node. Tarjan's strongly connected components."""
    graph = {}
    for name, targets in includes.items():
        node = re.sub(r"\.(h|cc)$", "", name)
        others = {re.sub(r"\.(h|cc)$", "", target) for target in targets}
        graph.setdefault(node, set()).update(others - {node})
    index, low, stack = {}, {}, []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in index:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            circle = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(circle) > 1:
                report(circle[0], 1, f"a circle of includes: {', '.join(sorted(circle))}")

    for node in sorted(graph):
        if node not in index:
            visit(node)


def line_counts(files):
    return {
        name: (ROOT / name).read_text().count("\n")
        for name in files
        if name.startswith(tuple(f + "/" for f in CODE_FOLDERS)) and name.endswith((".h", ".cc"))
    }


def folders_of_architecture():
    return [folder for folder in MAY_INCLUDE if folder != "tests"]


def picture(includes):
    """What each folder includes, without what follows from what it includes."""
    direct = {folder: set() for folder in folders_of_architecture()}
    for name, targets in includes.items():
        mine = folder_of(name)
        if mine in direct:
            direct[mine] |= {folder_of(t) for t in targets} & set(direct) - {mine}

    def reached(folder):
        return direct[folder].union(*(reached(other) for other in direct[folder]))

    lines = ["```mermaid", "graph BT"]
    for folder, others in direct.items():
        farther = set().union(*(reached(other) for other in others))
        for other in sorted(others - farther):
            nodes = [f"{name.replace('/', '_')}[{name}]" for name in (folder, other)]
            lines.append(f"  {' --> '.join(nodes)}")
    return lines + ["```"]


def rooms(counts):
    lines = ["| folder | holds | files | lines |", "|---|---|---|---|"]
    for folder in folders_of_architecture():
        comment = (ROOT / folder / "CMakeLists.txt").read_text().split("\n")
        text = []
        for line in comment:
            if not line.startswith("# "):
                break
            text.append(line[2:])
        mine = [count for name, count in counts.items() if folder_of(name) == folder]
        lines.append(f"| `{folder}/` | {' '.join(text)} | {len(mine)} | {sum(mine)} |")
    return lines


def path_table(counts):
    lines = ["| file | does | lines |", "|---|---|---|"]
    for name, text in RECORD_TO_TRANSITION.items():
        lines.append(f"| `{name}` | {text} | {counts.get(name, 0)} |")
    return lines


def check_architecture(includes, counts):
    """Each part stands between two comments. Numbers of files and lines may be a little off."""
    path = ROOT / ARCHITECTURE
    text = path.read_text()
    parts = {"picture": picture(includes), "rooms": rooms(counts), "path": path_table(counts)}
    update = os.environ.get("UPDATE_DOCS")
    for part, lines in parts.items():
        begin, end = f"<!-- {part}: written by tidy_test.py -->\n", f"\n<!-- end of {part} -->"
        if begin not in text or end not in text:
            report(ARCHITECTURE, 1, f"the part {part} is missing")
            continue
        before, rest = text.split(begin, 1)
        now, after = rest.split(end, 1)
        if update:
            text = before + begin + "\n".join(lines) + end + after
            continue
        words = [re.findall(r"\d+|\D+", row) for row in ("\n".join(lines), now)]
        same = len(words[0]) == len(words[1]) and all(
            a == b
            or (a.isdigit() and b.isdigit() and abs(int(a) - int(b)) <= allowance(part, int(a)))
            for a, b in zip(*words)
        )
        if not same:
            report(ARCHITECTURE, 1, f"the part {part} is not true: UPDATE_DOCS=1 rewrites it")
    if update:
        path.write_text(text)
    missing = [name for name in RECORD_TO_TRANSITION if name not in counts]
    for name in missing:
        report(ARCHITECTURE, 1, f"{name} is on the path from record to transition, but not there")
    total = sum(counts.get(name, 0) for name in RECORD_TO_TRANSITION)
    if total > RECORD_TO_TRANSITION_LINES_MAX:
        report(
            ARCHITECTURE,
            1,
            f"{total} lines from record to transition, {RECORD_TO_TRANSITION_LINES_MAX} allowed",
        )
    return total


def allowance(part, number):
    return max(ARCHITECTURE_LINES_OFF_MAX, number // 5) if part != "picture" else 0


def check_functions(name, lines):
    """Relies on the format: a function outside a class starts and ends in the first column."""
    start = 1
    for number, line in enumerate(lines, 1):
        if re.match(r"[A-Za-z]", line):
            start = number
        elif line == "}" and number - start > FUNCTION_LINES_MAX:
            report(name, start, f"function of {number - start + 1} lines")


def check_text(name, text):
    for number, line in enumerate(text.split("\n"), 1):
        for banned in BANNED_TEXT:
            if banned in line:
                report(name, number, f"banned text {banned}")
        if re.search(r"\bTODO\b(?!\([^)]+\))", line) and name != "tests/tidy_test.py":
            report(name, number, "TODO without a reason: write TODO(reason)")
        if re.search(r"\b(FIXME|HACK)\b", line) and name != "tests/tidy_test.py":
            report(name, number, "FIXME or HACK: mend it or write TODO(reason)")
        if "\t" in line:
            report(name, number, "tab")
        if line != line.rstrip():
            report(name, number, "space at the end of the line")
        measured = pathlib.PurePosixPath(name).suffix in MEASURED_SUFFIXES
        if measured and len(line) > COLUMNS_MAX and not name.startswith(
                (".clang", "LICENSE", "config/default.toml")):  # An inline table is one line.
            report(name, number, f"{len(line)} columns, {COLUMNS_MAX} allowed")
    if text and not text.endswith("\n"):
        report(name, text.count("\n") + 1, "no newline at the end of the file")


def check_lockfile(name, text):
    """Packages come from where npm's own configuration says, whoever builds."""
    for number, line in enumerate(text.split("\n"), 1):
        if '"resolved"' in line:
            report(name, number, "where a package is from: page/.npmrc leaves that out")


def check_listed(name):
    """A source or test that no CMakeLists.txt names is never built or run."""
    path = pathlib.PurePosixPath(name)
    is_test = name.startswith("tests/") and (path.suffix == ".cc" or name.endswith("_test.py"))
    is_source = name.startswith(tuple(f + "/" for f in CODE_FOLDERS)) and path.suffix == ".cc"
    is_source = is_source or name.startswith("page/src/")
    if not (is_test or is_source):
        return
    for folder in path.parents:
        cmake = ROOT / folder / "CMakeLists.txt"
        if cmake.is_file() and str(folder) != ".":
            entry = str(path.relative_to(folder))
            if not re.search(rf"(^|[\s/(]){re.escape(entry)}($|[\s)])", cmake.read_text(), re.M):
                report(name, 1, f"not listed in {folder}/CMakeLists.txt")
            return
    report(name, 1, "no CMakeLists.txt covers it")


def main():
    files = tracked_files()
    known = set(files)
    included = set()
    includes = {}  # File -> our own files that it includes.
    for name in files:
        path = pathlib.PurePosixPath(name)
        words = set(re.split(r"[^a-z0-9]+", path.stem.lower()))
        if words & BANNED_FILE_WORDS or set(path.parent.parts) & BANNED_FILE_WORDS:
            report(name, 1, "a file is named after what it holds, not utils, helper, manager, ...")
        if (ROOT / name).stat().st_size > FILE_BYTES_MAX:
            report(name, 1, "larger than 1 MB")
            continue
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # Binary: golden bytes.
        lines = text.split("\n")
        if path.name == "package-lock.json":
            check_lockfile(name, text)
        is_golden = "/golden/" in name and path.suffix not in (".cc", ".h", ".py")
        if not is_golden:
            check_text(name, text)
        check_listed(name)
        if path.suffix in (".h", ".cc"):
            check_includes(name, lines, known, included, includes)
            check_functions(name, lines)
            if name.startswith(tuple(f + "/" for f in CODE_FOLDERS)):
                check_third_party(name, lines)
                check_virtual(name, lines)
            count = len(lines) - 1
            if count > SOURCE_LINES_MAX and name not in SOURCE_LINES_ALLOWED:
                report(name, count, f"{count} lines, {SOURCE_LINES_MAX} allowed")
        if path.suffix == ".h" and "#pragma once" not in lines:
            report(name, 1, "no #pragma once")
        if path.suffix == ".py":
            try:
                ast.parse(text, name)
            except SyntaxError as error:
                report(name, error.lineno, f"not Python: {error.msg}")
        if text.startswith("#!/usr/bin/env bash"):
            checked = subprocess.run(["bash", "-n", ROOT / name], capture_output=True, text=True)
            if checked.returncode != 0:
                report(name, 1, f"not bash: {checked.stderr.strip()}")
    for name in files:
        if name.endswith(".h") and name not in included:
            report(name, 1, "dead: nothing includes it")
    check_circles(includes)
    counts = line_counts(files)
    total = check_architecture(includes, counts)
    sizes = sorted(counts.values())
    print("\n".join(findings + [f"{len(files)} files, {len(findings)} findings"]))
    print(
        f"lines of {len(sizes)} sources: median {sizes[len(sizes) // 2]}, 90th percentile "
        f"{sizes[len(sizes) * 9 // 10]}; from record to transition {total}"
    )
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
