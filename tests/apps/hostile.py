"""Clients that are hostile or unlucky, and what a healthy pair of clients notices of them.

    hostile.py ADDRESS PID SCENARIO [SIZE]

ADDRESS is the broker's port, for the healthy pair PORT:SOCKET where it has a Unix socket of its
own; PID is its process. Prints one line of figures, and exits 1 when the healthy pair
was not served: a message that did not come, or came after more than LATEST seconds.
"""

import contextlib
import socket
import ssl
import sys
import time

PATIENCE = 30
LATEST = 5.0
WATCH = 20  # messages that the healthy pair exchanges while others misbehave


def text(words):
    data = words if isinstance(words, bytes) else words.encode()
    return len(data).to_bytes(2, "big") + data


def frame(first, body):
    size, length = len(body), b""
    while True:
        size, digit = divmod(size, 128)
        length += bytes([digit | (0x80 if size else 0)])
        if not size:
            return bytes([first]) + length + body


def connect_packet(client_id, keep_alive=0, user=None):
    flags = 0x02 | (0x80 if user else 0)
    body = text("MQTT") + bytes([4, flags]) + keep_alive.to_bytes(2, "big") + text(client_id)
    return frame(0x10, body + (text(user) if user else b""))


def publish_packet(topic, payload, retain=False):
    return frame(0x31 if retain else 0x30, text(topic) + payload)


def subscribe_packet(*filters):
    return frame(0x82, b"\0\1" + b"".join(text(f) + b"\0" for f in filters))


def unsubscribe_packet(*filters):
    return frame(0xA2, b"\0\2" + b"".join(text(f) for f in filters))


def dial(where):
    """To a port, or to a Unix socket."""
    if isinstance(where, int):
        return socket.create_connection(("127.0.0.1", where), timeout=PATIENCE)
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(PATIENCE)
    sock.connect(where)
    return sock


def join(port, client_id, user=None):
    sock = dial(port)
    sock.sendall(connect_packet(client_id, user=user))
    answer = sock.recv(4)
    if answer[:1] != b"\x20" or answer[3:] != b"\0":
        raise ConnectionError(f"{client_id!r} was refused: {answer!r}")
    return sock


def read_until(sock, wanted):
    seen = b""
    while wanted not in seen:
        data = sock.recv(1 << 16)
        if not data:
            raise ConnectionError("the broker closed a healthy connection")
        seen = (seen + data)[-(1 << 17) :]


def is_closed(sock):
    """Whether the broker ends the connection, at last."""
    sock.settimeout(PATIENCE)
    with contextlib.suppress(ConnectionError):
        while sock.recv(1 << 16):
            pass
    return True


class Pair:
    """A publisher and a subscriber that mean well."""

    def __init__(self, port):
        self.reader = join(port, "healthy reader")
        self.reader.sendall(subscribe_packet("healthy"))
        read_until(self.reader, b"\x90\x03\0\1\0")
        self.writer = join(port, "healthy writer")
        self.count = 0

    def latency(self):
        """The worst of several messages, in milliseconds."""
        worst = 0.0
        for _ in range(WATCH):
            self.count += 1
            payload = b"number %d." % self.count
            began = time.monotonic()
            self.writer.sendall(publish_packet("healthy", payload))
            read_until(self.reader, payload)
            worst = max(worst, time.monotonic() - began)
        return worst * 1000


def memory(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmRSS"))


# Each scenario yields once, while it is at its worst, and cleans up behind that.


def silent(port, size):
    crowd = [dial(port) for _ in range(size)]
    yield f"{size} connections that say nothing"
    for sock in crowd:
        sock.close()


def dribble(port, size):
    crowd = [dial(port) for _ in range(size)]
    for byte in connect_packet("dribbler")[:12]:
        for sock in crowd:
            sock.sendall(bytes([byte]))
    yield f"{size} connections that send a byte at a time"
    for sock in crowd:
        sock.close()


def deaf(port, size):
    listener = join(port, "deaf")
    listener.sendall(subscribe_packet("flood"))
    writer = join(port, "flooder")
    packet = publish_packet("flood", b"x" * 100_000)
    for _ in range(size * 10):
        writer.sendall(packet)
    writer.sendall(b"\xc0\0")
    read_until(writer, b"\xd0\0")
    yield f"{size} MB for a client that never reads"
    listener.close()
    writer.close()


def thrash(port, size):
    for _ in range(size):
        dial(port).sendall(connect_packet("one and the same"))
    yield f"{size} connections with one client id, as fast as they come"


def half_tls(port, size):
    context = ssl.create_default_context()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        session.do_handshake()
    hello = outgoing.read()
    crowd = []
    for number in range(size):
        sock = dial(port)
        sock.sendall(hello if number % 2 else hello[: len(hello) // 2])
        crowd.append(sock)
    yield f"{size} handshakes that stop half-way"
    for sock in crowd:
        sock.close()


def largest(port, _):
    limit = 2_000_000
    fits = publish_packet("big", b"x" * (limit - 9))
    assert len(fits) == limit, len(fits)
    reader = join(port, "big reader")
    reader.sendall(subscribe_packet("big"))
    read_until(reader, b"\x90\x03\0\1\0")
    writer = join(port, "big writer")
    writer.sendall(fits + publish_packet("big", b"the end"))
    read_until(reader, b"the end")
    greedy = join(port, "greedy")
    greedy.sendall(b"\x30\xff\xff\xff\x7f")
    assert is_closed(greedy)
    yield f"a packet of {limit} bytes, and one that says 268435455"


def deep(port, _):
    for packet in (publish_packet("/" * 65_534, b"x"), subscribe_packet("/" * 65_534)):
        sock = join(port, "deep")
        sock.sendall(packet)
        assert is_closed(sock)
    yield "topics and filters of 65535 levels"


def bomb(port, size):
    sock = join(port, "bomber")
    for number in range(size):
        levels = [("+" if number >> bit & 1 else "a") for bit in range(16)]
        sock.sendall(subscribe_packet("/".join(levels) + "/#"))
    sock.sendall(b"\xc0\0")
    read_until(sock, b"\xd0\0")
    sock.sendall(publish_packet("/".join(["a"] * 16), b"boom"))
    yield f"{size} subscriptions such as +/a/+/+/#, and what matches them"
    sock.close()


def retain(writer, size, payload):
    """Retains it, or clears it, on kept/0, kept/1, ..."""
    for start in range(0, size, 1000):
        topics = range(start, min(start + 1000, size))
        writer.sendall(b"".join(publish_packet(f"kept/{n}", payload, True) for n in topics))
    writer.sendall(b"\xc0\0")
    read_until(writer, b"\xd0\0")


def takeback(port, size):
    writer = join(port, "keeper")
    retain(writer, size, b"v" * 600)
    sock = join(port, "fickle")
    wanted = [f"kept/{n}" for n in range(size)]
    for packet in subscribe_packet, unsubscribe_packet:
        for start in range(0, size, 10_000):
            sock.sendall(packet(*wanted[start : start + 10_000]))
        wanted.reverse()
    yield f"{size} subscriptions taken back by one who never reads"
    sock.close()
    retain(writer, size, b"")


def search(port, size):
    writer = join(port, "keeper")
    retain(writer, size, b"v")
    sock = join(port, "searcher")
    sock.sendall(b"".join(subscribe_packet(f"+/+/nothing{n}") for n in range(1000)))
    yield f"1000 searches through {size} retained topics"
    sock.close()
    retain(writer, size, b"")


def retained(port, size):
    writer = join(port, "keeper")
    retain(writer, size, b"v")
    reader = join(port, "collector")
    reader.sendall(subscribe_packet("kept/#"))
    seen, rest = 0, b""
    while seen < size:
        data = rest + reader.recv(1 << 20)
        seen += data.count(b"kept/")
        rest = data[-4:]
    yield f"{size} retained topics, and one who wants all"
    retain(writer, size, b"")


NASTY = [
    "\x1b[31mred\x1b]0;title\x07",
    "two\nlines: 1700000000: Client admin connected",
    "carriage\rreturn",
    "\x7f\x80\x9b31m",
    "\u202etxt.exe",
    "$SYS/broker/version",
    "%s%n%x",
    "'; drop table sessions; --",
    "x" * 65_000,
]


def nasty(port, _):
    for words in NASTY:
        with contextlib.suppress(ConnectionError):
            sock = join(port, words, user=words)
            sock.sendall(subscribe_packet(words) + publish_packet(words, b"x") + b"\xc0\0")
            read_until(sock, b"\xd0\0")
            sock.close()
    yield "ids, user names and topics that are out to get somebody"


def main():
    (port, _, path), pid, scenario = sys.argv[1].partition(":"), int(sys.argv[2]), sys.argv[3]
    size = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    pair = Pair(path or int(port))
    before, memory_before = pair.latency(), memory(pid)
    steps = globals()[scenario](int(port), size)
    title = next(steps)
    during, memory_during = pair.latency(), memory(pid)
    for _ in steps:
        pass
    after, memory_after = pair.latency(), memory(pid)
    print(
        f"{title}: worst latency {before:.1f} ms before, {during:.1f} during, {after:.1f} after; "
        f"memory {memory_before} MB before, {memory_during} during, {memory_after} after"
    )
    return 1 if max(during, after) > LATEST * 1000 else 0


if __name__ == "__main__":
    sys.exit(main())
