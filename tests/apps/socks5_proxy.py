#!/usr/bin/env python3
"""A SOCKS5 proxy for tests, for CONNECT to a name, on a free port of 127.0.0.1 that it prints.

    socks5_proxy.py [USER PASSWORD]

Prints a line for each connection that it makes: host and port as they were asked for.
"""

import socket
import socketserver
import sys
import threading


def exactly(stream, size):
    data = stream.read(size)
    if len(data) != size:
        raise ConnectionError("closed early")
    return data


def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class Proxy(socketserver.StreamRequestHandler):
    rbufsize = 0

    def handle(self):
        _, count = exactly(self.rfile, 2)
        methods = exactly(self.rfile, count)
        wanted = 2 if len(sys.argv) > 1 else 0
        if wanted not in methods:
            self.wfile.write(b"\x05\xff")
            return
        self.wfile.write(bytes([5, wanted]))
        if wanted and not self.is_let_in():
            return
        _, _, _, kind = exactly(self.rfile, 4)
        if kind != 3:
            self.wfile.write(b"\x05\x08\0\1\0\0\0\0\0\0")
            return
        host = exactly(self.rfile, exactly(self.rfile, 1)[0]).decode()
        port = int.from_bytes(exactly(self.rfile, 2), "big")
        print(host, port, flush=True)
        try:
            server = socket.create_connection((host, port))
        except OSError:
            self.wfile.write(b"\x05\x05\0\1\0\0\0\0\0\0")
            return
        self.wfile.write(b"\x05\0\0\1\0\0\0\0\0\0")
        back = threading.Thread(target=pump, args=(server, self.request))
        back.start()
        pump(self.request, server)
        back.join()
        server.close()

    def is_let_in(self):
        exactly(self.rfile, 1)
        given = [exactly(self.rfile, exactly(self.rfile, 1)[0]).decode() for _ in range(2)]
        is_right = given == sys.argv[1:3]
        self.wfile.write(b"\x01\0" if is_right else b"\x01\x01")
        return is_right


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


with Server(("127.0.0.1", 0), Proxy) as server:
    print("port", server.server_address[1], flush=True)
    server.serve_forever()
