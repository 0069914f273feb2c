"""Runs SimpleSAMLphp under the web server of PHP, in a directory of its own, with keys made at the start.

    main.py [--port N] [--stdin-lifeline] [--users FILE]        N = 0 (the default) picks a free port

Prints one line of JSON when it listens: {"ready": true, "issuer": "http://127.0.0.1:N", "entity_id": …,
"metadata": …, "pid": …}. tests/peers/README.md lists its control API.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
PREFIX = "jit-ssp."
STARTS_WITHIN_SECONDS = 30
LEFT_OVER_AFTER_SECONDS = 2 * 3600


def prepare(folder, users):
    for name in ("sessions", "log", "data", "temp", "providers"):
        (folder / name).mkdir()
    shutil.copy(users, folder / "people.json")
    subprocess.run([sys.executable, "-B", HERE.parent / "saml-keys" / "make.py", folder / "keys"], check=True)


def launch(folder, port):
    """Starts PHP so that it dies with this process, however that dies."""
    settings = {
        "SIMPLESAMLPHP_CONFIG_DIR": HERE / "config",
        "JIT_SSP_FOLDER": folder,
        "JIT_SSP_URL": f"http://127.0.0.1:{port}",
    }
    values = {
        "session.save_path": folder / "sessions",
        "error_log": folder / "log" / "php.log",
        "display_errors": 0,
        "log_errors": 1,
        "opcache.enable_cli": 1,
    }
    options = [part for name, value in values.items() for part in ("-d", f"{name}={value}")]
    server = ["-S", f"127.0.0.1:{port}", "-t", folder / "temp", HERE / "router.php"]
    with (folder / "log" / "server.log").open("wb") as log:
        return subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", os.environ["PHP"], *options, *server],
            env={**os.environ, **{name: str(value) for name, value in settings.items()}},
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )


def wait_until_ready(php, url):
    end = time.monotonic() + STARTS_WITHIN_SECONDS
    while time.monotonic() < end and php.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_ctl/people", timeout=5):
                return True
        except OSError:
            time.sleep(0.05)
    return False


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def serve(folder, wanted_port):
    # Somebody else may take the port before PHP does; then another one is tried.
    for _ in range(5):
        port = wanted_port or free_port()
        php = launch(folder, port)
        url = f"http://127.0.0.1:{port}"
        if wait_until_ready(php, url):
            metadata = f"{url}/simplesaml/saml2/idp/metadata.php"
            ready = {"ready": True, "issuer": url, "entity_id": metadata, "metadata": metadata, "pid": os.getpid()}
            print(json.dumps(ready), flush=True)
            return php
        php.kill()
        php.wait()
        if wanted_port:
            break
    sys.exit((folder / "log" / "server.log").read_text(errors="replace"))


def remove_leftovers(home):
    """A start that was killed leaves its folder."""
    for folder in home.glob(PREFIX + "*"):
        try:
            if time.time() - folder.stat().st_mtime > LEFT_OVER_AFTER_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
        except FileNotFoundError:
            continue


def end_with_parent():
    """Waits for the end of standard input, which the kernel brings about when the parent is gone."""

    def wait():
        sys.stdin.buffer.read()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


def main():
    parser = argparse.ArgumentParser(description="a SAML identity provider for tests")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--stdin-lifeline", action="store_true")
    parser.add_argument("--users", default=HERE.parent / "oidc-op" / "people.json")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    if options.stdin_lifeline:
        end_with_parent()
    home = pathlib.Path(tempfile.gettempdir())
    remove_leftovers(home)
    php, folder = None, pathlib.Path(tempfile.mkdtemp(prefix=PREFIX, dir=home))
    try:
        prepare(folder, options.users)
        php = serve(folder, options.port)
        php.wait()
    finally:
        if php is not None:
            php.kill()
            php.wait()
        shutil.rmtree(folder, ignore_errors=True)


main()
