"""Clients that are hostile or unlucky, and what a healthy pair of clients notices of them.

    hostile.py ADDRESS PID LENIENCE SCENARIO [SIZE]

ADDRESS is the broker's port, for the healthy pair PORT:SOCKET where it has a Unix socket of its
own; PID is its process, which has done nothing else yet. Prints one line of figures, and exits 1
when the healthy pair had to wait longer, or the broker took more memory, than it may. The bounds
are those of a release; a build with sanitizers or assertions may need LENIENCE times as much.

The scenario happens twice: what the broker took the first time has to do for the second. The pair
is a process of its own, and exchanges one message after the other, from the first hostile byte
until everything is cleaned up.
"""

import collections
import contextlib
import itertools
import multiprocessing
import re
import selectors
import socket
import ssl
import sys
import threading
import time

PATIENCE = 30
LATEST_MS = 500  # the healthy pair's worst message
USUAL_MS = 200  # and 99 of 100, on the way to the worst, then, when it ends, and behind that
# 50 MB are written to thousands of sockets while nobody else is served.
SLOW = {"deaf": 2}
COPIES = {"enormous": 3}  # of LARGEST bytes, made meanwhile
WATCH = 200  # messages of the healthy pair: at least so many before, at the worst, and after
PACE = 0.002  # seconds between two of them
SLACK_MB = 6  # that the broker's memory may grow by with any use
UNREAD_MB = 16  # the broker's max_unread_bytes
UNREAD_BY_ALL_MB = {"by default": 268, "here": 20}  # its global_max_unread_bytes
IDLE_MB = 16  # that it need not give back
# What leaves no gaps that the process would keep; to what LENIENCE, above which what watches the
# memory keeps such pieces.
GIVEN_BACK = {"deaf": 4, "enormous": 8, "deaf_apart": 1}
# What depends on the pace of the disk, or of the crowd, and differs from one time to the next.
PACED = {"overrun", "hasty"}


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
    flags = 0x02 | (0 if user is None else 0x80)
    body = text("MQTT") + bytes([4, flags]) + keep_alive.to_bytes(2, "big") + text(client_id)
    return frame(0x10, body + (b"" if user is None else text(user)))


def connect_packet_5(client_id, properties=b"", flags=0x02):
    start = text("MQTT") + bytes([5, flags, 0, 0, len(properties)])
    return frame(0x10, start + properties + text(client_id))


def publish_packet(topic, payload, first=0x30):
    packet_id = b"\0\1" if first & 0x06 else b""
    return frame(first, text(topic) + packet_id + payload)


RETAINED, RETAINED_AT_LEAST_ONCE = 0x31, 0x33
PUBACK = b"\x40\2\0\1"


def subscribe_packet(*filters):
    return frame(0x82, b"\0\1" + b"".join(text(f) + b"\0" for f in filters))


def unsubscribe_packet(*filters):
    return frame(0xA2, b"\0\2" + b"".join(text(f) for f in filters))


PING, PONG = b"\xc0\0", b"\xd0\0"


def dial(where):
    """To a port, or to a Unix socket."""
    if isinstance(where, int):
        sock = socket.create_connection(("127.0.0.1", where), timeout=PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock
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


def read_packet(sock):
    """One whole packet: its first byte, and what comes behind the length."""
    first, size, shift, digit = read_exactly(sock, 1), 0, 0, 0x80
    while digit & 0x80:
        digit = read_exactly(sock, 1)[0]
        size |= (digit & 0x7F) << shift
        shift += 7
    return first, read_exactly(sock, size)


def read_exactly(sock, size):
    data = bytearray(size)
    rest = memoryview(data)
    while rest:
        count = sock.recv_into(rest)
        if count == 0:
            raise ConnectionError("the broker closed a healthy connection")
        rest = rest[count:]
    return bytes(data)


def join_5(port, client_id, properties=b"", flags=0x02):
    """With MQTT 5."""
    sock = dial(port)
    sock.sendall(connect_packet_5(client_id, properties, flags))
    first, answer = read_packet(sock)
    if first != b"\x20" or answer[1] != 0:
        raise ConnectionError(f"{client_id[:50]!r} was refused: {answer!r}")
    return sock


def subscribe_5(sock, topic, properties=b""):
    """At QoS 1."""
    packet_id, options = b"\0\1", b"\1"
    body = packet_id + bytes([len(properties)]) + properties + text(topic) + options
    sock.sendall(frame(0x82, body))
    assert read_packet(sock) == (b"\x90", packet_id + b"\0\1")


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


def exchange(where, topic, told):
    """What the healthy pair does: measures, and tells how long its messages took when asked."""
    reader = join(where, "healthy reader")
    reader.sendall(subscribe_packet(topic))
    read_until(reader, b"\x90\x03\0\1\0")
    writer = join(where, "healthy writer")
    latencies, wanted = [], False
    for number in itertools.count():
        payload = b"number %d." % number
        began = time.monotonic()
        writer.sendall(publish_packet(topic, payload))
        read_until(reader, payload)
        latencies.append((time.monotonic() - began) * 1000)
        wanted = wanted or (told.poll(PACE) and told.recv())
        if wanted and len(latencies) >= WATCH:
            told.send(latencies)
            latencies, wanted = [], False


class Pair:
    """A publisher and a subscriber that mean well."""

    def __init__(self, where, topic):
        self.pipe, told = multiprocessing.Pipe()
        multiprocessing.Process(target=exchange, args=(where, topic, told), daemon=True).start()
        told.close()

    def latencies(self):
        """In milliseconds, of all messages since this was asked last, and of so many at least."""
        try:
            self.pipe.send(True)
            return self.pipe.recv()
        except (EOFError, ConnectionError):
            sys.exit("the healthy pair is not served any more")


def worst(phases):
    return max(map(max, phases))


def usual(phases):
    """What 99 of 100 do not exceed, in whichever phase that is most."""
    return max(sorted(latencies)[len(latencies) * 99 // 100] for latencies in phases)


def figures(phases):
    return f"{worst(phases):.1f} / {usual(phases):.1f}"


def filling_ms(size):
    """How long this machine takes to fill fresh memory."""
    began = time.monotonic()
    assert len(b"x" * size) == size
    return (time.monotonic() - began) * 1000


def memory_given_back(pid, enough):
    """As soon as the process has no more than enough, or when it has had its time for that."""
    ends = time.monotonic() + PATIENCE
    while memory(pid) > enough and time.monotonic() < ends:
        time.sleep(0.1)
    return memory(pid)


def memory(pid, which="VmRSS"):
    """Of the process, in MB; VmHWM is the most that it ever had."""
    with open(f"/proc/{pid}/status") as status:
        kilobytes = next(int(line.split()[1]) for line in status if line.startswith(which))
    return kilobytes / 1024


# Each scenario yields once, while it is at its worst, and cleans up behind that. It yields what it
# is, how many MB it may take of the broker's memory beside SLACK_MB, and what makes them so many.


def silent(port, size):
    crowd = [dial(port) for _ in range(size)]
    yield f"{size} connections that say nothing", size * 0.002, "2 KB for each"
    for sock in crowd:
        assert is_closed(sock)
        sock.close()


def dribble(port, size):
    crowd = [dial(port) for _ in range(size)]
    due = time.monotonic()
    packet = connect_packet("dribbler")
    for byte in packet[:8]:
        for sock in crowd:
            sock.sendall(bytes([byte]))
        due += 1
        time.sleep(max(0, due - time.monotonic()))
    yield f"{size} connections that send a byte a second", size * 0.002, "2 KB for each"
    crowd[0].sendall(packet[8:] + PING)
    read_until(crowd[0], PONG)
    for sock in crowd[1:]:
        assert is_closed(sock)
        sock.close()
    crowd[0].close()


def half_connect(port, size):
    """Each says all of a long CONNECT but its end."""
    crowd = [dial(port) for _ in range(size)]
    packet = frame(0x10, connect_packet("long")[2:].ljust(LONGEST_CONNECT - 4, b"\0"))
    for sock in crowd:
        with contextlib.suppress(ConnectionError):  # it had to go
            sock.sendall(packet[:-1])
    short = dial(port)
    packet = connect_packet("short")
    short.sendall(packet[:9])
    short.sendall(packet[9:] + PING)
    read_until(short, PONG)
    yield (
        f"{size} times nearly all of a CONNECT of 1 MB",
        *(2 * 32 + size * 0.002, "32 MB of all, as much for gaps, 2 KB for each"),
    )
    for sock in crowd:
        sock.close()
    short.close()


def half_publish(port, size):
    """Each sends all of a long PUBLISH but its end, or says only how long it will be."""
    crowd = [join(port, f"half {number}") for number in range(size)]
    packet = publish_packet("half", b"x" * (LONGEST_BY_DEFAULT - 10))
    for number, sock in enumerate(crowd):
        with contextlib.suppress(ConnectionError):  # it had to go
            sock.sendall(packet[:-1] if number % 2 == 0 else packet[:4])
    come_in(port)
    yield (
        f"{size // 2} times nearly all of a PUBLISH of {len(packet)} bytes, and as many beginnings",
        *(2 * 40 + size * 0.006, "half of memory_limit, as much for gaps, 6 KB for each"),
    )
    for sock in crowd:
        sock.close()


def deafen(port, topics):
    """A connection for each, which waits for messages with that topic and will read none."""
    crowd = []
    for number, topic in enumerate(topics):
        crowd.append(join(port, f"deaf {number}"))
        crowd[-1].sendall(subscribe_packet(topic))
        read_until(crowd[-1], b"\x90\x03\0\1\0")
    return crowd


def flood(port, topics, length):
    """A message of so many bytes to each of them."""
    writer = join(port, "flooder")
    for topic in topics:
        writer.sendall(publish_packet(topic, b"x" * length))
    writer.sendall(PING)
    read_until(writer, PONG)
    writer.close()


def deaf(port, size):
    """What is published is for everybody, 50 MB at once."""
    length = 50_000_000 // (size * 10)
    crowd = deafen(port, ["flood"] * (size * 10))
    flood(port, ["flood"] * (size * 1_000_000 // length), length)
    each = 0.005 + UNREAD_MB * 48 / length  # for references to what they share
    yield (
        f"{size} MB for each of {len(crowd)} connections that never read",
        *(min(UNREAD_MB + len(crowd) * each, 2 * UNREAD_BY_ALL_MB["by default"]),
        f"max_unread_bytes, which they share, and {each * 1000:.0f} KB for each"),
    )
    for sock in crowd:
        sock.close()


def deaf_apart(port, size):
    """What is published is for one of them."""
    topics = [f"flood/{number}" for number in range(size)]
    crowd = deafen(port, topics)
    flood(port, topics * 100, 100_000)
    yield (
        f"10 MB for each of {size} connections that never read, to each something else",
        *(2 * UNREAD_BY_ALL_MB["here"] + size * 0.17,
        "global_max_unread_bytes, as much until that is noticed, 64 KB and a message for each"),
    )
    for sock in crowd:
        sock.close()


def thrash(port, size):
    """A crowd of which everybody comes again as soon as he is thrown out."""
    one_id = connect_packet("one and the same")
    comings = itertools.count()
    with selectors.DefaultSelector() as crowd:

        def come():
            if next(comings) < size:
                sock = dial(port)
                sock.sendall(one_id)
                crowd.register(sock, selectors.EVENT_READ)

        for _ in range(size // 10):
            come()
        while len(crowd.get_map()) > 1:
            ready = [key.fileobj for key, _ in crowd.select(PATIENCE)]
            assert ready, "nobody is served any more"
            for sock in ready:
                answer = sock.recv(64)
                # Somebody took over from it, or came before its turn.
                assert answer in (b"", b"\x20\x02\0\0"), f"one of them was told {answer!r}"
                if not answer:
                    crowd.unregister(sock)
                    sock.close()
                    come()
        (last,) = (key.fileobj for key in crowd.get_map().values())
    last.sendall(PING)
    read_until(last, PONG)
    yield f"{size} connections with one client id, as fast as they come", 0, "one session"
    last.close()


def half_tls(port, size):
    context = ssl.create_default_context()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        session.do_handshake()
    hello = outgoing.read()
    crowd = []
    for number in range(size):
        crowd.append(dial(port))
        crowd[-1].sendall(hello if number % 2 else hello[: len(hello) // 2])
    for sock in crowd[1::2]:
        assert sock.recv(1) == b"\x16", "the broker does not go on with the handshake"
    yield f"{size} handshakes that stop half-way", size * 0.1, "100 KB for each"
    for sock in crowd:
        sock.close()


def largest(port, size):
    limit = LONGEST_BY_DEFAULT
    fits = publish_packet("big", b"x" * (limit - 9))
    assert len(fits) == limit, len(fits)
    reader = join(port, "big reader")
    reader.sendall(subscribe_packet("big"))
    read_until(reader, b"\x90\x03\0\1\0")
    writer = join(port, "big writer")
    for _ in range(size):
        writer.sendall(fits + publish_packet("big", b"the end"))
        read_until(reader, b"the end")
        greedy = join(port, "greedy")
        greedy.sendall(b"\x30\xff\xff\xff\x7f")
        assert is_closed(greedy)
    yield (
        f"{size} packets of {limit} bytes, and as many that say 268435455",
        *(4 * limit / 1e6, "two packets as they come and two as they go"),
    )


LONGEST_CONNECT = 1 << 20  # bytes
LONGEST_BY_DEFAULT = 2_000_000  # of a packet
LARGEST = 268_435_460  # bytes of a packet, in any version
EVER = b"\x11\xff\xff\xff\xff"  # Session Expiry Interval


def enormous(port, size):
    """The largest packet there is. With MQTT 5 it has properties besides, and would be too long.

    size  1: only the first of all cases
    """
    reader = join(port, "reader")
    reader.sendall(subscribe_packet("big"))
    read_until(reader, b"\x90\x03\0\1\0")
    plain, numbered = join_5(port, "plain"), join_5(port, "numbered")
    subscribe_5(plain, "big")
    subscribe_5(numbered, "big", b"\x0b\7")
    sleeper = join_5(port, "sleeper", EVER)
    subscribe_5(sleeper, "big")
    sleeper.close()
    writer = join(port, "writer")
    lost = collections.Counter()

    def publish(first, length):
        """Of so many bytes, to each who has room for what becomes of it."""
        packet = publish_packet("big", b"", first)
        payload = b"x" * (length - len(packet) - 3)  # its length takes four bytes
        packet = publish_packet("big", payload, first)
        assert len(packet) == length, len(packet)
        writer.sendall(packet)
        assert read_packet(reader) == (b"\x30", text("big") + payload)
        if first != 0x30:
            assert read_packet(writer) == (b"\x40", b"\0\1")
            lost["sleeper"] += 1
        if length < LARGEST:
            assert read_packet(plain) == (b"\x30", text("big") + b"\0" + payload)
        else:
            lost["plain"] += 1
        lost["numbered"] += 1

    publish(0x30, LARGEST)
    if size > 1:
        publish(0x30, LARGEST - 1)
        publish(0x32, LARGEST)
        with join_5(port, "sleeper", EVER, 0) as sleeper:
            sleeper.sendall(PING)
            assert read_packet(sleeper) == (b"\xd0", b""), "the message that it has no room for"
    for sock in plain, numbered:
        sock.sendall(PING)
        assert read_packet(sock) == (b"\xd0", b"")
    watcher = join(port, "watcher")
    for name, count in lost.items():
        topic = f"$SYS/broker/clients/{name}/dropped/too_large"
        watcher.sendall(subscribe_packet(topic))
        read_until(watcher, f"{topic}{count}".encode())
    yield (
        f"packets of {LARGEST} bytes, {dict(lost)} messages too large",
        *(3 * LARGEST / 1e6, "one as it comes, and as it goes in two versions"),
    )
    join_5(port, "sleeper").close()


def deep(port, size):
    for packet in (publish_packet("/" * 65_534, b"x"), subscribe_packet("/" * 65_534)) * size:
        sock = join(port, "deep")
        sock.sendall(packet)
        assert is_closed(sock)
    yield f"topics and filters of 65535 levels, {size} times", 0, "nothing of them is kept"


BOMBED = "/".join("a" * 200)  # as many levels as the broker takes


def drain(sock):
    """Reads what comes, beside everything else, until the connection ends."""

    def read():
        with contextlib.suppress(OSError):
            while sock.recv(1 << 20):
                pass

    threading.Thread(target=read, daemon=True).start()


def bomb(port, size):
    """What the healthy pair publishes matches every one of the filters."""
    sock = join(port, "bomber")
    sock.settimeout(None)
    drain(sock)
    for number in range(size):
        levels = [("+" if number >> bit & 1 else "a") for bit in range(16)] + ["+"] * 183
        sock.sendall(subscribe_packet("/".join(levels) + "/#"))
    other = join(port, "other")
    other.sendall(PING)
    read_until(other, PONG)
    yield (
        f"{size} subscriptions such as +/a/+/+/#, which match what the others publish",
        *(size * 0.001 + UNREAD_MB, "1 KB for each, and max_unread_bytes"),
    )
    sock.shutdown(socket.SHUT_RDWR)


def retain(writer, size, payload):
    """Retains it, or clears it, on kept/0, kept/1, ... no faster than the broker stores it."""
    for start in range(0, size, 1000):
        *some, last = range(start, min(start + 1000, size))
        packets = [publish_packet(f"kept/{n}", payload, RETAINED) for n in some]
        packets.append(publish_packet(f"kept/{last}", payload, RETAINED_AT_LEAST_ONCE))
        writer.sendall(b"".join(packets))
        read_until(writer, PUBACK)


def takeback(port, size):
    writer = join(port, "keeper")
    retain(writer, size, b"v" * 600)
    sock = join(port, "fickle")
    wanted = [f"kept/{n}" for n in range(size)]
    for packet in subscribe_packet, unsubscribe_packet:
        for start in range(0, size, 10_000):
            sock.sendall(packet(*wanted[start : start + 10_000]))
        wanted.reverse()
    yield (
        f"{size} subscriptions taken back by one who never reads",
        *(size * 0.0015 + UNREAD_MB, "1.5 KB for each with its message, and max_unread_bytes"),
    )
    sock.close()
    retain(writer, size, b"")


def search(port, size):
    writer = join(port, "keeper")
    retain(writer, size, b"v")
    sock = join(port, "searcher")
    sock.sendall(b"".join(subscribe_packet(f"+/+/nothing{n}") for n in range(1000)))
    yield (
        f"1000 searches through {size} retained topics",
        *(size * 0.00015 + 1, "150 bytes for each topic, 1 KB for a search"),
    )
    suback = b"\x90\x03\0\1\0"
    assert read_exactly(sock, 1000 * len(suback)) == 1000 * suback, "a search was refused"
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
    yield (
        f"{size} retained topics, and one who wants all",
        *(size * 0.00015 + UNREAD_MB, "150 bytes for each, and max_unread_bytes"),
    )
    retain(writer, size, b"")


def overrun(port, size):
    writer = join(port, "hasty")
    for payload in b"v", b"":
        for start in range(0, size, 1000):
            topics = range(start, min(start + 1000, size))
            packets = [publish_packet(f"kept/{n}", payload, RETAINED) for n in topics]
            writer.sendall(b"".join(packets))
    writer.sendall(PING)
    read_until(writer, PONG)
    yield (
        f"{size} topics retained and cleared, faster than the disk takes them",
        *(size * 0.00015 + min(size * 0.002, 128), "150 bytes each, max_unstored_bytes twice"),
    )


def end_of(port, words):
    """How the broker ends the connection of one who says this."""
    with dial(port) as sock:
        try:
            sock.sendall(words)
            answer = sock.recv(4)
        except ConnectionError:
            return "reset"
    assert answer == b"", f"{answer!r} instead of an end"
    return "closed"


def come_in(port):
    """When there are descriptors again."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(ConnectionError):
            return join(port, "late").close()
    raise ConnectionError("nobody can come in any more")


def scarce(port, size):
    """The broker has fewer file descriptors than that. Who is there is served, others are not: their
    connections are closed, which TCP makes a reset where something has been said that nobody reads.
    """
    crowd, ends = [], collections.Counter()
    with contextlib.suppress(ConnectionError):
        while len(crowd) < size:
            crowd.append(join(port, f"number {len(crowd)}"))
    for number in range(len(crowd), size):
        is_silent = number % 2 == 0
        ends[is_silent, end_of(port, b"" if is_silent else connect_packet("late"))] += 1
    assert len(crowd) >= size // 5, f"only {len(crowd)} came in"
    assert ends.total() >= size // 4, f"only {ends.total()} were turned away"
    assert ends[True, "reset"] == 0, "who had said nothing was reset"
    crowd[0].sendall(PING)
    assert crowd[0].recv(2) == PONG, "who is there is not served"
    yield (
        f"{len(crowd)} connections take all file descriptors, {ends.total()} are turned away, "
        f"{ends[True, 'closed'] + ends[False, 'closed']} of them without a reset",
        *(size * 0.002, "2 KB for each"),
    )
    for sock in crowd:
        sock.close()
    come_in(port)


def hasty(port, size):
    """Who is above its listener's rate is not read, and nobody hears that it goes: it keeps its
    descriptor, until others need that.
    """
    burst = publish_packet("t", b"") * 40_000
    refused = 0
    for number in range(size):
        try:
            with join(port, f"hasty {number}") as sock:
                sock.sendall(burst)
        except ConnectionError:
            refused += 1
    yield (
        f"{size} connections send {len(burst) / 1e6:.1f} MB for which there is no time, and go; "
        f"{refused} did not come in",
        *(size * 0.3, "what was read of each at once, at most 256 KB"),
    )
    come_in(port)


ROLES = ["client id", "user name", "filter", "topic"]
LIE = "from 10.9.9.9:5 on port 28831 as root refused: Not authorized. x"
# What is out to get somebody, and as what it is accepted nevertheless.
NASTY = {
    "\x1b[31mred\x1b]0;title\x07": ROLES,
    "two\n1700000000: Client admin connected": ROLES,
    "carriage\rreturn": ROLES,
    "\x7f\x80\x9b31m": ROLES,
    "\u202etxt.exe \u2066and\u2069 \u061c\u200f\u2028": ROLES,
    LIE: ROLES,
    f'x" {LIE}': ROLES,
    LIE.replace(" ", "\u00a0"): ROLES,
    LIE.replace(" ", "\u2800"): ROLES,
    LIE.replace(" ", "\u3164"): ROLES,
    "$SYS/broker/version": ROLES,
    "%s%n%x": ROLES,
    "'; drop table sessions; --": ROLES,
    "x" * 65_000: ROLES,
    "#/+": ["client id", "user name"],
    "nothing \0 more": [],
    b"no UTF-8: \xff\x1b[31m": [],
    b"a surrogate: \xed\xa0\x80\n": [],
    b"too long a slash: \xc0\xaf": [],
}


def is_served(port, role, words):
    """Whether the broker goes on with a client that has such a name."""
    sock = dial(port)
    user = words if role == "user name" else None
    sock.sendall(connect_packet(words if role == "client id" else "somebody", user=user))
    if role == "filter":
        sock.sendall(subscribe_packet(words))
    if role == "topic":
        sock.sendall(publish_packet(words, b"x"))
    with contextlib.suppress(ConnectionError):
        sock.sendall(PING)
        read_until(sock, PONG)
        return True
    return False


def nasty(port, _):
    for words, accepted in NASTY.items():
        for role in ROLES:
            served = is_served(port, role, words)
            wrong = f"{words[:50]!r} as {role} was {'accepted' if served else 'refused'}"
            assert served == (role in accepted), wrong
    yield "names that are out to get somebody", 0, "nothing of them is kept"


RESPONSE_INFORMATION = b"\x19\1"
SMALL = b"\x27\0\0\1\0"  # Maximum Packet Size: 256
NASTY_IDS = [words for words, roles in NASTY.items() if "client id" in roles] + [
    "x" * 999 + "\u00e9 and more",  # where a long name is cut
    *("y" * length for length in (65_526, 65_527, 65_530, 65_535)),
]


def counted(port, _):
    """Who has such an id loses a message, and has a topic for that in $SYS."""
    crowd = []
    for words in NASTY_IDS:
        crowd.append(join_5(port, words, EVER + SMALL + RESPONSE_INFORMATION))
        subscribe_5(crowd[-1], "large")
    writer = join(port, "writer")
    writer.sendall(publish_packet("large", b"x" * 1000))
    for sock in crowd:
        sock.sendall(PING)
        assert read_packet(sock) == (b"\xd0", b"")
    with join(port, "watcher") as watcher:
        watcher.sendall(subscribe_packet("$SYS/broker/clients/+/dropped/#"))
        assert read_packet(watcher)[0] == b"\x90"
        topics = set()
        while len(topics) < len(NASTY_IDS):
            first, body = read_packet(watcher)
            length = int.from_bytes(body[:2], "big")
            topic, payload = body[2 : 2 + length], body[2 + length :]
            level = re.fullmatch(rb"\$SYS/broker/clients/([ -~]+)/dropped/too_large", topic)
            assert level and len(level[1]) < 4000, f"{topic[:100]!r} is no topic for a terminal"
            assert first[0] & ~1 == 0x30 and payload == b"1", (topic[:100], payload[:100])
            topics.add(topic)
    yield "ids that are out to get somebody, each with a topic in $SYS", 1, "some names and topics"
    for sock in crowd:
        sock.close()


def main():
    (port, _, path), pid, lenience = sys.argv[1].partition(":"), int(sys.argv[2]), int(sys.argv[3])
    scenario, size = sys.argv[4], int(sys.argv[5]) if len(sys.argv) > 5 else 0
    memory_before = memory(pid)
    copying = filling_ms(LARGEST) * COPIES[scenario] if scenario in COPIES else 0
    pair = Pair(path or int(port), BOMBED if scenario == "bomb" else "healthy")
    before, during, after, most = [pair.latencies()], [], [], []
    for _ in range(2):
        steps = globals()[scenario](int(port), size)
        title, burden, why = next(steps)
        during += [pair.latencies(), pair.latencies()]  # on the way there, and at the worst
        for _ in steps:
            pass
        during.append(pair.latencies())
        after.append(pair.latencies())
        most.append(memory(pid, "VmHWM"))
    slowness = lenience * SLOW.get(scenario, 1)
    latest, most_usual = round(LATEST_MS * slowness + copying * lenience), USUAL_MS * slowness
    may_keep = memory_before + (SLACK_MB + IDLE_MB) * lenience
    is_given_back = lenience <= GIVEN_BACK.get(scenario, 0)
    memory_after = memory_given_back(pid, may_keep) if is_given_back else memory(pid)
    may_take = memory_before + (burden + SLACK_MB) * lenience
    # What was freed is used again, but for what is left over between smaller pieces.
    may_take_again = most[0] + (most[0] - memory_before) / 4 + SLACK_MB / 2 * lenience
    print(
        f"{title}: latency in ms, worst / 99 %: {figures(before)} before, {figures(during)} "
        f"during, {figures(after)} after (bound {latest} / {most_usual}); memory in MB: "
        f"{memory_before:.1f} before, {most[0]:.1f} at most (bound {may_take:.1f}: {why}), "
        f"{most[1]:.1f} when it happens again (bound {may_take_again:.1f}), {memory_after:.1f} after"
        + (f" (bound {may_keep:.1f})" if is_given_back else "")
    )
    wrong = []
    if worst(during + after) > latest:
        wrong.append("the healthy pair had to wait too long")
    if usual(during + after) > most_usual:
        wrong.append("the healthy pair had to wait too often")
    if max(most) > may_take:
        wrong.append("the broker took too much memory")
    if most[1] > may_take_again and scenario not in PACED:
        wrong.append("the broker did not use again what it had freed")
    if memory_after > may_keep and is_given_back:
        wrong.append("the broker did not give back what it had freed")
    for words in wrong:
        print(f"hostile: {words}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
