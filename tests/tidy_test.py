#!/usr/bin/env python3
"""Keeps includes flowing one way, sizes sane, and dead files and banned words out of the tree.

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
}
ROOMS["stream/run"] = set(ROOMS) - {"stream/generate"}
ROOMS["stream/evaluate"] = {"stream/text", "stream/format", "stream/pipeline", "stream/run"}
MAY_INCLUDE = {
    "model": set(),
    "state": {"model"},
    **{room: BELOW_STREAM | below for room, below in ROOMS.items()},
    "config": BELOW_STREAM | set(ROOMS),
    "stream/app": BELOW_STREAM | set(ROOMS) | {"config"},
    "tests": BELOW_STREAM | set(ROOMS) | {"config", "stream/app"},
}
CODE_FOLDERS = ("model", "state", "stream", "config")
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


def check_includes(name, lines, files, included):
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
        theirs = folder_of(target)
        if mine and theirs != mine and theirs not in MAY_INCLUDE[mine]:
            report(name, number, f"{mine}/ may not include {theirs}/ ({target})")


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
        if measured and len(line) > COLUMNS_MAX and not name.startswith((".clang", "LICENSE")):
            report(name, number, f"{len(line)} columns, {COLUMNS_MAX} allowed")
    if text and not text.endswith("\n"):
        report(name, text.count("\n") + 1, "no newline at the end of the file")


def check_listed(name):
    """A source or test that no CMakeLists.txt names is never built or run."""
    path = pathlib.PurePosixPath(name)
    is_test = name.startswith("tests/") and (path.suffix == ".cc" or name.endswith("_test.py"))
    is_source = name.startswith(tuple(f + "/" for f in CODE_FOLDERS)) and path.suffix == ".cc"
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
        is_golden = "/golden/" in name and path.suffix not in (".cc", ".h", ".py")
        if not is_golden:
            check_text(name, text)
        check_listed(name)
        if path.suffix in (".h", ".cc"):
            check_includes(name, lines, known, included)
            check_functions(name, lines)
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
    print("\n".join(findings + [f"{len(files)} files, {len(findings)} findings"]))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
