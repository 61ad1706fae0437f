"""RSTUF's own command line, as PyPI ships it, over files of ours. Its prompts are answered by a script; nothing else of it is touched.

Prints one JSON object: {"code": exit code, "output": what it said, and for `send` "posted": what its API would have got}.
"""

import argparse
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import beaupy
import click
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from repository_service_tuf.cli import rstuf
from repository_service_tuf.cli.admin import helpers
from rich.prompt import Confirm, IntPrompt, Prompt

ANSWERS = {"bootstrap": "Bootstrap accepted.", "metadata": "Metadata update accepted.", "sign": "Metadata sign accepted."}


def run(*arguments):
    """Runs the command line with these arguments."""
    arguments = ["--config", "/nonexistent/rstuf.yml", "admin", *arguments]
    result = CliRunner().invoke(rstuf, arguments)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return {"code": result.exit_code, "output": result.output}


def answer(selections, files, names):
    """Answers what the command line asks: choices, paths of keys and names, each in order; numbers by default, passwords by "x"."""
    choices, paths, names = iter(selections), iter(files), iter(names)

    def select(options, **_):
        wanted = next(choices)
        found = [option for option in options if wanted in option]
        assert len(found) == 1, f"{wanted!r} is not one of {options!r}"
        return found[0]

    def number(_, *, default=None, **__):
        return 2 if default is None else default

    beaupy.select = select
    helpers._prompt_key = lambda *_, **__: next(paths)
    click.prompt = lambda *_, **__: "x"
    IntPrompt.ask = number
    Prompt.ask = lambda *_, **__: next(names)
    Confirm.ask = lambda *_, **__: False


def make_keys(folder):
    """Key pairs as the command line reads them."""
    keys = {
        "alice": ed25519.Ed25519PrivateKey.generate(),
        "bob": ec.generate_private_key(ec.SECP256R1()),
        "online": ed25519.Ed25519PrivateKey.generate(),
    }
    for name, key in keys.items():
        locked = serialization.BestAvailableEncryption(b"x")
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
        spki = serialization.PublicFormat.SubjectPublicKeyInfo
        public = key.public_key().public_bytes(serialization.Encoding.PEM, spki)
        (folder / f"{name}.pem").write_bytes(private)
        (folder / f"{name}.pub").write_bytes(public)


def send(kind, path):
    """`send` to a server that answers as RSTUF's API does."""
    posted = []

    class Api(BaseHTTPRequestHandler):
        def reply(self, status, body):
            body = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            endpoint = self.path.strip("/").split("/")[-1]
            posted.append({"endpoint": endpoint, "body": body})
            self.reply(202, {"data": {"task_id": "1"}, "message": ANSWERS[endpoint]})

        def do_GET(self):
            self.reply(200, {"data": {"state": "SUCCESS", "result": {"status": True}}})

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    result = run("--api-server", f"http://127.0.0.1:{server.server_port}", "send", kind, path)
    server.shutdown()
    return {**result, "posted": posted}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("send", help="post a payload")
    command.add_argument("kind", choices=["bootstrap", "update", "sign"])
    command.add_argument("file")
    command = commands.add_parser("sign", help="sign what is pending")
    command.add_argument("pending")
    command.add_argument("key", help="part of the name or keyid that is shown")
    command.add_argument("private", help="encrypted PEM")
    command.add_argument("out")
    command = commands.add_parser("ceremony", help="make keys and, with them, bootstrap.json: alice and bob for root, alice signs")
    command.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    # A test's machine may have a proxy; the server is here.
    os.environ["NO_PROXY"] = "127.0.0.1"
    match arguments.command:
        case "send":
            result = send(arguments.kind, arguments.file)
        case "sign":
            answer(["root", arguments.key, "Key PEM File"], [arguments.private], [])
            result = run("metadata", "sign", "--dry-run", "--in", arguments.pending, "--out", arguments.out)
        case "ceremony":
            folder = arguments.folder
            make_keys(folder)
            pem = "Key PEM File"
            selections = ["Bins", pem, "add", pem, "continue", pem, "alice", pem, "continue"]
            files = [str(folder / name) for name in ["alice.pub", "bob.pub", "online.pub", "alice.pem"]]
            answer(selections, files, ["alice", "bob", "online"])
            result = run("ceremony", "--dry-run", "--out", str(folder / "bootstrap.json"))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
