#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A component that uses HTTP and sockets, against servers of the test, on one driver.
#   network_test.py MAYFLY DRIVER [unittest arguments]
# MAYFLY_NETWORK_MIB=N moves that many MiB in each direction: 100 where 4 are not enough.
import os
import socketserver
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

import component
from on_driver import MAYFLY, RUN, main

HERE = Path(__file__).resolve().parent
SERVER = HERE.parent / "wasi" / "http_server.py"
BYTES = int(os.environ.get("MAYFLY_NETWORK_MIB", "4")) << 20
DENIED, PROHIBITED, CERTIFICATE = "error 15\n", "error 4\n", "error 13\n"  # error-code


class Network(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.environment = dict(os.environ, XDG_DATA_HOME=str(cls.folder / "data"),
                               XDG_CACHE_HOME=str(cls.folder / "cache"))
        program = component.build(HERE / "network_program.c", HERE / "wasi2.wit", cls.folder)
        cls.image = cls.folder / "image"
        subprocess.run([MAYFLY, "compile", program, "-o", cls.image], check=True,
                       env=cls.environment)

    def run_program(self, *arguments, grants=(), code=0):
        """What it printed, what Mayfly said, and the peak of its memory in KiB."""
        with subprocess.Popen([*RUN, "--timeout", "250s", *grants,
                               self.image, *arguments], stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.PIPE, env=self.environment) as process:
            printed, said = process.stdout.read(), process.stderr.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, code, printed + said)
        return printed, said, usage.ru_maxrss


class Http(Network):
    def serve(self, *arguments):
        server = subprocess.Popen([sys.executable, SERVER, *arguments], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        self.addCleanup(server.communicate)
        return int(server.stdout.readline())

    def test_a_response_has_its_status_body_and_trailers(self):
        authority = f"127.0.0.1:{self.serve()}"
        grants = ["--http", authority]
        self.assertEqual(self.run_program("get", authority, "/hello", grants=grants)[0],
                         "status 200\nhello\n")
        self.assertEqual(self.run_program("get", authority, "/trailers", grants=grants)[0],
                         "status 200\nabc\nx-sum 6\n")

    def test_bodies_pass_both_ways_in_constant_memory(self):
        authority = f"127.0.0.1:{self.serve()}"
        peaks = []
        for count in (4096, BYTES):
            printed, _, peak = self.run_program("echo", authority, str(count),
                                                grants=["--http", authority])
            self.assertEqual(printed, f"status 200\nbytes {count}\nright 1\n")
            peaks.append(peak)
        self.assertLess(peaks[1] - peaks[0], 3 << 10)

    def test_what_is_not_granted_is_denied(self):
        authority = f"127.0.0.1:{self.serve()}"
        denied = self.run_program("get", authority, "/hello", grants=["-v"], code=1)
        self.assertEqual(denied[0], DENIED)
        self.assertIn(f"--http {authority} would allow it", denied[1])
        for grant in ("example.org", "127.0.0.2", "127.0.0.1:1"):
            denied = self.run_program("get", authority, "/hello", grants=["--http", grant], code=1)
            self.assertEqual(denied[0], DENIED, grant)

    def test_private_addresses_are_reached_by_no_name(self):
        port = self.serve()
        for host in ("127.0.0.1", "rebound.localhost", "10.0.0.1", "169.254.169.254", "[::1]"):
            printed, *_ = self.run_program("get", f"{host}:{port}", "/hello",
                                           grants=["--http", "*"], code=1)
            self.assertEqual(printed, PROHIBITED, host)

    def test_a_redirect_is_looked_at_like_any_request(self):
        authority = f"127.0.0.1:{self.serve()}"
        path = "/redirect?http://"
        allowed = self.run_program("follow", authority, f"{path}{authority}/hello",
                                   grants=["--http", authority])
        self.assertEqual(allowed[0], "status 302\nstatus 200\n")
        for target in ("169.254.169.254", "10.0.0.1", "[::1]", "rebound.localhost", "localhost"):
            for grant, code in (("127.0.0.1", DENIED), ("*", PROHIBITED)):
                printed, *_ = self.run_program(
                    "follow", authority, f"{path}{target}:80/", code=1,
                    grants=["--http", authority, "--http", grant])
                self.assertEqual(printed, "status 302\n" + code, (target, grant))

    def test_tls_needs_a_certificate_of_a_trusted_authority(self):
        authority = f"localhost:{self.serve(self.folder)}"
        request = ["get", authority, "/hello", "https"]
        grants = ["--http", "localhost"]
        trusting = [*grants, "--http-ca", self.folder / "ca.pem"]
        self.assertEqual(self.run_program(*request, grants=trusting)[0], "status 200\nhello\n")
        self.assertEqual(self.run_program(*request, grants=grants, code=1)[0], CERTIFICATE)


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while piece := self.request.recv(65536):
            self.request.sendall(piece)


class Tcp(Network):
    def setUp(self):
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo)
        server.daemon_threads = True
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.port = str(server.server_address[1])

    def test_bytes_pass_both_ways_and_end_with_a_shutdown(self):
        printed, *_ = self.run_program("tcp", self.port, str(BYTES),
                                       grants=["--tcp", f"127.0.0.1:{self.port}"])
        self.assertEqual(printed, f"bytes {BYTES}\nright 1\n")

    def test_what_is_not_granted_is_denied(self):
        for grants in ([], ["--tcp", "127.0.0.1:1"], ["--tcp", "127.0.0.2:*"],
                       ["--http", "127.0.0.1"], ["--allow-dns"]):
            printed, *_ = self.run_program("tcp", self.port, "10", grants=grants, code=1)
            self.assertEqual(printed, "error 1\n", grants)  # access-denied

    def test_a_listener_needs_its_own_grant(self):
        for grants in ([], ["--tcp", "127.0.0.1:*"], ["--tcp-listen", "127.0.0.2:*"],
                       ["--udp-listen", "127.0.0.1:*"]):
            printed, *_ = self.run_program("listen", "8080", grants=grants, code=1)
            self.assertEqual(printed, "error 1\n", grants)


class EchoDatagram(socketserver.BaseRequestHandler):
    def handle(self):
        data, server = self.request
        server.sendto(data, self.client_address)


class Udp(Network):
    COUNT = 300

    def setUp(self):
        server = socketserver.UDPServer(("127.0.0.1", 0), EchoDatagram)
        server.max_packet_size = 65536
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.port = str(server.server_address[1])

    def test_datagrams_pass_both_ways_with_their_sizes_and_addresses(self):
        for connected in ([], ["connected"]):
            printed, *_ = self.run_program("udp", self.port, str(self.COUNT), *connected,
                                           grants=["--udp", f"127.0.0.1:{self.port}"])
            self.assertEqual(printed, f"bytes {self.COUNT}\nright 1\n", connected)

    def test_what_is_not_granted_is_denied(self):
        for grants in ([], ["--udp", "127.0.0.1:1"], ["--udp", "127.0.0.2:*"],
                       ["--tcp", "127.0.0.1:*"], ["--allow-dns"]):
            for connected in ([], ["connected"]):
                printed, *_ = self.run_program("udp", self.port, "1", *connected, grants=grants,
                                               code=1)
                self.assertEqual(printed, "error 1\n", grants)


class Names(Network):
    def test_names_are_looked_up_when_granted(self):
        for grants in (["--allow-dns"], ["--tcp", "localhost:80"]):
            printed, *_ = self.run_program("resolve", "localhost", grants=grants)
            self.assertRegex(printed, "^addresses [12]\n$", grants)

    def test_what_is_not_granted_is_denied(self):
        for grants in ([], ["--tcp", "127.0.0.1:*"], ["--http", "*"], ["--udp", "127.0.0.1:*"],
                       ["--tcp", "localhost:80"]):
            printed, *_ = self.run_program("resolve", "example.org", grants=grants, code=1)
            self.assertEqual(printed, "error 1\n", grants)

    def test_what_a_name_led_to_is_no_grant_to_connect(self):
        """Whoever answers for a name says where it leads; what is granted are addresses."""
        printed, *_ = self.run_program("resolve", "localhost", grants=["--allow-dns"])
        self.assertIn("addresses", printed)
        printed, *_ = self.run_program("tcp", "80", "1", grants=["--allow-dns"], code=1)
        self.assertEqual(printed, "error 1\n")


if __name__ == "__main__":
    main()
