#!/usr/bin/env python3
"""Serves the bundled page and the answers of a shop that never was (fake_shop.py).

fake_service.py --page build/page [--port 8080]
"""

import argparse
import hashlib
import http.server
import json
import pathlib
import threading
import urllib.parse

from fake_shop import SEGMENTS, Shop

TOKEN = "let-me"
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; style-src-attr 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}


def refusal(status, detail, reason="told"):
    return json.dumps({"status": status, "reason": reason, "detail": detail}).encode()


class FakeService:
    """`faults`: path -> status, answered instead. `empty`: a service that has read nothing."""

    def __init__(self, page, port=0, shop=None):
        self.page = pathlib.Path(page)
        self.shop = shop or Shop()
        self.faults = {}
        self.making = set()  # Paths whose figures are still being counted.
        self.empty = False
        self.asked = []
        self.kept = {}
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                service.get(self)

            def do_POST(self):
                service.post(self)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, path, asked):
        key = (path, tuple(sorted(asked.items())), self.empty)
        if key not in self.kept:
            self.kept[key] = self.made(path, asked)
        return self.kept[key]

    def made(self, path, asked):
        shop = self.shop
        if self.empty:
            if path == "/pipeline":
                return shop.pipeline(asked) | {
                    "as_of": None,
                    "partitions": [],
                    "outcomes": {},
                    "dead_letters": [],
                }
            return None
        if path.startswith("/customers/"):
            missing = {} if asked.get("missing") == "empty" else None
            return shop.customer(urllib.parse.unquote(path[len("/customers/") :])) or missing
        answers = {
            "/segments": shop.segments,
            "/transitions": shop.transitions,
            "/transitions/customers": shop.moved_customers,
            "/grid": shop.grid,
            "/customers": shop.customers,
            "/sales": shop.all_sales,
            "/retention": shop.retention,
            "/risk": shop.risk,
            "/model": shop.model,
            "/k": shop.cluster_counts,
            "/config": shop.settings,
            "/score": shop.score,
            "/pipeline": shop.pipeline,
        }
        return answers[path](asked) if path in answers else None

    def get(self, request):
        path, _, query = request.path.partition("?")
        if path == "/" or path.startswith("/assets/"):
            return self.file(request, "index.html" if path == "/" else path[1:])
        asked = dict(urllib.parse.parse_qsl(query))
        self.asked.append(request.path)
        status = self.faults.get(path)
        if status:
            return self.send(request, status, refusal(status, f"told to answer {status}"))
        if path in self.making:
            body = refusal(202, "ask again in a second", "in_the_making")
            return self.send(request, 202, body)
        if asked.get("segmentation", "rfm") not in SEGMENTS:
            return self.send(request, 400, refusal(400, "segmentation is not one of these"))
        answer = self.answer(path, asked)
        if answer is None:
            return self.send(request, 404, refusal(404, "nothing is known of this"))
        body = json.dumps(answer).encode()
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if request.headers.get("If-None-Match") == etag:
            return self.send(request, 304, b"", {"ETag": etag})
        return self.send(request, 200, body, {"ETag": etag})

    def dry_run(self):
        moves = [
            ("Need Attention", "At Risk", 14, 1400.5),
            ("Loyal", "Champions", 3, 2100.25),
        ]
        ways = [{"segmentation": "rfm", "from": a, "to": b} for a, b, _, _ in moves]
        return self.shop.envelope() | {
            "moves": [
                way | {"customers": customers, "monetary": monetary}
                for way, (_, _, customers, monetary) in zip(ways, moves)
            ],
            "samples": [{"customer_id": "12004"} | way for way in ways],
            "customers": 420,
            "customers_moved": 17,
            "differences": [{"key": "segmentation.rfm.stay", "before": "8d", "after": "14d"}],
            "transitions_per_day": {"now": 9.5, "then": 7.25, "days": 90, "sampled": 420},
        }

    def post(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        self.asked.append(request.path)
        if self.faults.get(request.path):
            status = self.faults[request.path]
            return self.send(request, status, refusal(status, f"told to answer {status}"))
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.send(request, 401, refusal(401, "a token is needed"))
        if b"[" not in body:
            return self.send(request, 400, refusal(400, "line 1: a table is expected"))
        if b"stay = 0" in body:
            said = json.loads(refusal(400, "not a duration")) | {
                "key": "segmentation.rfm.stay",
                "value": "0",
                "allowed": "a whole number with a unit",
            }
            return self.send(request, 400, json.dumps(said).encode())
        if request.path == "/rules/dry-run":
            if request.path in self.making:
                self.making.discard(request.path)
                return self.send(request, 202, refusal(202, "ask again", "in_the_making"))
            return self.send(request, 200, json.dumps(self.dry_run()).encode())
        return self.send(request, 202, b'{"what": "asked for rules version 2"}')

    def send(self, request, status, body, more=None):
        request.send_response(status)
        headers = {"Content-Type": "application/json"} | HEADERS | (more or {})
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        try:
            request.end_headers()
            request.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            request.close_connection = True  # Nobody wants it any more.

    def file(self, request, name):
        path = self.page / f"{name}.gz"
        if ".." in name or not path.is_file():
            return self.send(request, 404, b"{}")
        kind = TYPES[pathlib.PurePath(name).suffix]
        self.send(
            request,
            200,
            path.read_bytes(),
            {"Content-Type": f"{kind}; charset=utf-8", "Content-Encoding": "gzip"},
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--page", required=True)
    parser.add_argument("--port", type=int, default=8080)
    options = parser.parse_args()
    service = FakeService(options.page, options.port)
    print(f"{service.address}/")
    threading.Event().wait()


if __name__ == "__main__":
    main()
