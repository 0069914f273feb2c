"""scim2-server as a peer: users and groups in memory, on loopback, under waitress.

    main.py [--port N] [--people N] [--threads N] [--stdin-lifeline]

N = 0 (the default) picks a free port. Its own command serves with wsgiref, which refuses connections under load.
Prints one line of JSON when it listens: {"ready": true, "base": "http://127.0.0.1:N/v2", "token": …, "pid": …, "ids": […]}.
With --people it begins with so many users, `person-0@example.com` and so on; `ids` are those of the first hundred.
"""

import argparse
import json
import logging
import os
import secrets
import socket
import sys
import threading

import waitress
from scim2_server.memory import InMemoryStorage
from scim2_server.service import ScimService
from scim2_server.testserver.application import BEARER_TOKEN_SCHEME, BearerTokenApplication
from scim2_server.utils import load_default_provider


def end_with_parent():
    """Waits for the end of standard input, which the kernel brings about when the parent is gone."""

    def wait():
        sys.stdin.buffer.read()
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def invite(provider, storage, count):
    kind = next(kind for kind in provider.resource_types if kind.name == "User")
    model = provider.model_for(kind)
    return [storage.create(kind, model.model_validate(person(number))).id for number in range(count)]


def person(number):
    name = f"person-{number}@example.com"
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": name,
        "externalId": f"external-{number}",
        "name": {"givenName": "Person", "familyName": f"Number {number}"},
        "displayName": f"Person {number}",
        "emails": [{"value": name, "type": "work", "primary": True}],
        "active": True,
    }


def main():
    parser = argparse.ArgumentParser(description="a SCIM server for tests")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--people", type=int, default=0)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--stdin-lifeline", action="store_true")
    options = parser.parse_args()
    if options.stdin_lifeline:
        end_with_parent()

    logging.getLogger("waitress").setLevel(logging.ERROR)
    provider, storage, token = load_default_provider(), InMemoryStorage(), secrets.token_urlsafe()
    provider.config.authentication_schemes = [BEARER_TOKEN_SCHEME]
    ids = invite(provider, storage, options.people)[:100]
    service = ScimService(provider, secret=secrets.token_urlsafe())
    application = BearerTokenApplication(storage, provider, service=service, bearer_tokens=[token])
    # waitress would write its name into every answer; the listener is made here, so that its port is known.
    listener = socket.create_server(("127.0.0.1", options.port), backlog=1024)
    server = waitress.create_server(application, sockets=[listener], threads=options.threads, ident=None)
    base = f"http://127.0.0.1:{listener.getsockname()[1]}/v2"
    print(json.dumps({"ready": True, "base": base, "token": token, "pid": os.getpid(), "ids": ids}), flush=True)
    server.run()


main()
