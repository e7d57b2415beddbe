#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A server for tests of HTTP, on a port of its own at 127.0.0.1, which it prints. With a folder as
# its argument it speaks TLS, as "localhost", certified by an authority of its own, FOLDER/ca.pem.
# It ends with its standard input.
"""Each path is a way in which a server can answer, right and wrong."""
import http.server
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

CHUNK = bytes(range(256)) * 256


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    trailers = ()

    def log_message(self, *_):
        pass

    def body(self):
        """The request's body in pieces; its trailers are known after the last one."""
        self.trailers = []
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            left = int(self.headers.get("Content-Length", 0))
            while left:
                piece = self.rfile.read(min(left, 65536))
                if not piece:
                    raise ConnectionError("the body is cut off")
                left -= len(piece)
                yield piece
            return
        while True:
            size = int(self.rfile.readline().split(b";")[0] or b"0", 16)
            if size == 0:
                break
            yield self.rfile.read(size)
            self.rfile.readline()
        while (line := self.rfile.readline().strip()):
            self.trailers.append(line.decode("latin-1"))

    def answer(self, body, status=200, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def chunk(self, piece):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))

    def raw(self, text):
        self.wfile.write(text)
        self.wfile.flush()
        self.close_connection = True

    def serve(self):
        path, _, argument = self.path.partition("?")
        action = getattr(self, "path_" + path.strip("/").replace("-", "_"), None)
        if action is None:
            list(self.body())
            self.answer(b"nothing here", 404)
        else:
            action(argument)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_PURGE = serve

    def path_hello(self, _):
        list(self.body())
        self.answer(b"hello", headers=[("Content-Type", "text/plain"), ("X-Twice", "a"),
                                       ("x-twice", "b"), ("Keep-Alive", "timeout=5")])

    def path_json(self, _):
        self.answer(json.dumps({"name": "mayfly", "numbers": [1, 2, 3]}).encode(),
                    headers=[("Content-Type", "application/json")])

    def path_prices(self, _):
        self.answer(json.dumps({"apple": 1.25, "pear": 0.5}).encode(),
                    headers=[("Content-Type", "application/json")])

    def path_request(self, _):
        """What came, as JSON."""
        body = b"".join(self.body())
        seen = {"method": self.command, "path": self.path, "headers": self.headers.items(),
                "body": body.decode("latin-1"), "trailers": self.trailers}
        self.answer(json.dumps(seen).encode())

    def path_echo(self, _):
        """The body, as it comes."""
        self.send_response(200)
        self.send_header("Content-Type", self.headers.get("Content-Type", "none"))
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in self.body():
            self.chunk(piece)
        self.wfile.write(b"0\r\n\r\n")

    def path_count(self, _):
        self.answer(str(sum(len(piece) for piece in self.body())).encode())

    def path_large(self, argument):
        """As many bytes as the query says."""
        self.send_response(200)
        self.send_header("Content-Length", argument)
        self.end_headers()
        left = int(argument)
        while left:
            left -= self.wfile.write(CHUNK[:left])

    def path_trailers(self, _):
        self.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                 b"3\r\nabc\r\n0\r\nX-Sum: 6\r\nx-more: yes\r\n\r\n")

    def path_informed(self, _):
        self.raw(b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"
                 b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Final: 1\r\n\r\nok")

    def path_redirect(self, argument):
        self.answer(b"", 302, [("Location", argument)])

    def path_status(self, argument):
        list(self.body())
        self.answer(b"", int(argument))

    def path_cut(self, _):
        self.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfirst")

    def path_silent(self, _):
        time.sleep(float(os.environ.get("SILENT_SECONDS", "20")))
        self.close_connection = True

    def path_stops(self, _):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfirst")
        self.wfile.flush()
        self.path_silent(_)

    def path_hangup(self, _):
        self.close_connection = True

    def path_garbage(self, _):
        self.raw(b"this is not HTTP\r\n\r\n")

    def path_status_line(self, argument):
        self.raw(urllib.parse.unquote(argument).encode() + b"\r\nContent-Length: 0\r\n\r\n")

    def path_folded(self, _):
        """Fields over many lines, some of which are none, in the head and the trailers."""
        fields = (b"X-Kept: a\r\n b\r\n\t c \r\n"
                  b"Keep-Alive: timeout=5\r\n , x-secret=1\r\n x-secret: 2\r\n"
                  b"Bad name: 1\r\n 2\r\nX-Bad-Value: 1\x01\r\n 2\r\n"
                  b"X-Bad-Later: 1\r\n 2\x01\r\n 3\r\nX-Last: z\r\n")
        self.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + fields
                 + b"\r\n2\r\nok\r\n0\r\n folds nothing\r\n" + fields + b"\r\n")

    def path_headers(self, argument):
        self.raw(b"HTTP/1.1 200 OK\r\n" + b"X-Long: %s\r\n" % (b"x" * 1000) * int(argument)
                 + b"Content-Length: 0\r\n\r\n")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass  # clients go away in the middle on purpose


def certify(folder):
    """The path of a certificate with its key."""
    ca, ca_key = f"{folder}/ca.pem", f"{folder}/ca.key"
    made, key = f"{folder}/server.pem", f"{folder}/server.key"
    new = ["openssl", "req", "-x509", "-days", "2", "-nodes", "-newkey", "ec",
           "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    for command in (
            [*new, "-subj", "/CN=tests", "-keyout", ca_key, "-out", ca],
            [*new, "-subj", "/CN=server", "-addext", "subjectAltName=DNS:localhost",
             "-addext", "basicConstraints=critical,CA:FALSE", "-CA", ca, "-CAkey", ca_key,
             "-keyout", key, "-out", made]):
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return made, key


def main():
    server = Server(("127.0.0.1", 0), Handler)
    server.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if len(sys.argv) > 1:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certify(sys.argv[1]))
        server.socket = context.wrap_socket(server.socket, server_side=True,
                                            do_handshake_on_connect=False)
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
