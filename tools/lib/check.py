"""What all checks share: the workspace, its crates, and how a check is run and proved.

A check is a function from a workspace's folder to a list of problems. Its proofs are functions that set a trap,
run the check and return whether it was caught: a check that cannot fail is worth nothing.
"""

import functools
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main(check, proofs):
    """Runs the check on the workspace, or its proofs with --self-test."""
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(prove(proofs))
    if sys.argv[1:]:
        sys.exit(f"usage: {sys.argv[0]} [--self-test]")
    problems = check(ROOT)
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)


def prove(proofs):
    failed = 0
    for proof in proofs:
        with tempfile.TemporaryDirectory() as folder:
            caught = proof(pathlib.Path(folder))
        print("ok    " if caught else "FAILED", proof.__name__.replace("_", " "))
        failed += not caught
    print(f"{len(proofs) - failed} passed, {failed} failed")
    return 1 if failed else 0


def run(command, folder):
    """Runs a program and returns its output; a failure is the caller's to read."""
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def output(command, folder):
    done = run(command, folder)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stderr}")
    return done.stdout


@functools.cache
def packages(root):
    """The workspace's crates as `cargo metadata` describes them, by name."""
    metadata = json.loads(output(["cargo", "metadata", "--no-deps", "--format-version", "1"], root))
    return {package["name"]: package for package in metadata["packages"]}


def libraries(root):
    """The crates that are published: programs and measurements say `publish = false`."""
    return {name: package for name, package in packages(root).items() if package["publish"] != []}


def write(folder, files):
    """Lays out a small tree for a proof."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
