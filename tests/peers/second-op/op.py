"""Canaille as a peer: an OpenID provider on loopback, in memory, with a key made at the start.

    op.py [--port N] [--stdin-lifeline]        N = 0 (the default) picks a free port

Prints one line of JSON when it listens: {"ready": true, "issuer": "http://localhost:N", "pid": …}.
People sign in at Canaille's own pages with their name and "<name>-password". Scripts use the control API:

    GET  /_ctl/login?user=alice   from now on every request is made by alice, without a page
    GET  /_ctl/logout             back to pages
    POST /_ctl/client             {"client_id": …, "client_secret": …, "redirect_uris": […]}: a client that needs no consent
"""

import argparse
import datetime
import json
import os
import secrets
import socket
import sys
import threading
import warnings

# Authlib demands TLS even on loopback unless told otherwise, and reads this when it is imported.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
warnings.simplefilter("ignore")

from canaille import create_app  # noqa: E402
from canaille.app import models  # noqa: E402
from canaille.app.session import UserSession  # noqa: E402
from canaille.backends import Backend  # noqa: E402
from flask import abort, g, jsonify, request  # noqa: E402
from joserfc.jwk import JWKRegistry  # noqa: E402
from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: E402

PEOPLE = {
    "alice": {"given_name": "Alice", "family_name": "Example", "groups": ["eng", "staff"]},
    "bob": {"given_name": "Bob", "family_name": "Büro", "groups": ["staff"]},
}
SCOPES = ["openid", "email", "profile", "groups"]


def configuration(port):
    key = JWKRegistry.generate_key("RSA", 2048)
    key.ensure_kid()
    silent = {"version": 1, "handlers": {"null": {"class": "logging.NullHandler"}}}
    return {
        "TESTING": True,
        "ENV_FILE": None,
        "SECRET_KEY": secrets.token_urlsafe(),
        "WTF_CSRF_ENABLED": False,
        "PREFERRED_URL_SCHEME": "http",
        "SERVER_NAME": f"localhost:{port}",
        "CANAILLE": {
            "DATABASE": "memory",
            "JAVASCRIPT": False,
            "ACL": {"DEFAULT": {"PERMISSIONS": ["use_oidc", "manage_oidc"]}},
            "LOGGING": silent | {"loggers": {"canaille": {"handlers": ["null"]}}},
        },
        "CANAILLE_OIDC": {
            "DYNAMIC_CLIENT_REGISTRATION_OPEN": True,
            "TRUSTED_DOMAINS": ["localhost"],
            "ACTIVE_JWKS": [key.as_dict(private=True)],
        },
    }


def add_people(app):
    with app.app_context():
        users = {}
        for name, person in PEOPLE.items():
            names = {key: person[key] for key in ("given_name", "family_name")}
            users[name] = models.User(
                user_name=name,
                formatted_name=" ".join(names.values()),
                emails=[f"{name}@example.com"],
                password=f"{name}-password",
                **names,
            )
            Backend.instance.save(users[name])
        for group in sorted({group for person in PEOPLE.values() for group in person["groups"]}):
            members = [users[name] for name, person in PEOPLE.items() if group in person["groups"]]
            Backend.instance.save(models.Group(display_name=group, members=members))
    return users


def add_control(app, users):
    signed_in = []

    @app.before_request
    def sign_in_without_a_page():
        if signed_in:
            g.session = UserSession(user=signed_in[0], last_login_datetime=now())

    # The pretended session must not reach the cookie, or it would outlive `/_ctl/logout`.
    @app.after_request
    def leave_no_session(response):
        if signed_in:
            g.session = None
        return response

    @app.get("/_ctl/login")
    def login():
        name = request.args.get("user")
        if name not in users:
            abort(404)
        signed_in[:] = [users[name]]
        return jsonify(user=name)

    @app.get("/_ctl/logout")
    def logout():
        signed_in.clear()
        return jsonify({})

    @app.post("/_ctl/client")
    def client():
        added = models.Client(**client_metadata(request.get_json()))
        Backend.instance.save(added)
        added.audience = [added]
        Backend.instance.save(added)
        return jsonify(client_id=added.client_id)


def client_metadata(body):
    return {
        "client_id": body["client_id"],
        "client_secret": body.get("client_secret", ""),
        "client_name": body["client_id"],
        # A domain that the configuration trusts: this is what spares the consent page.
        "client_uri": "http://localhost",
        "contacts": ["contact@example.com"],
        "redirect_uris": body["redirect_uris"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "scope": SCOPES,
        "id_token_signed_response_alg": body.get("id_token_signed_response_alg", "RS256"),
        "token_endpoint_auth_method": body.get("token_endpoint_auth_method", "client_secret_basic"),
        "client_id_issued_at": now(),
    }


def now():
    return datetime.datetime.now(datetime.UTC)


class QuietHandler(WSGIRequestHandler):
    def log(self, *_):
        pass


def end_with_parent():
    """Waits for the end of standard input, which the kernel brings about when the parent is gone."""

    def wait():
        sys.stdin.buffer.read()
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def main():
    parser = argparse.ArgumentParser(description="a second OpenID provider for tests")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--stdin-lifeline", action="store_true")
    options = parser.parse_args()
    if options.stdin_lifeline:
        end_with_parent()

    # The issuer names the port, so the port has to be ours before the application is made.
    listener = socket.create_server(("127.0.0.1", options.port))
    port = listener.getsockname()[1]
    app = create_app(config=configuration(port))
    add_control(app, add_people(app))
    server = make_server(
        "127.0.0.1", port, app, threaded=True, request_handler=QuietHandler, fd=listener.fileno()
    )
    print(json.dumps({"ready": True, "issuer": f"http://localhost:{port}", "pid": os.getpid()}), flush=True)
    server.serve_forever()


main()
