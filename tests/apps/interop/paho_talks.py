#!/usr/bin/python3
"""Conversations of Paho's client for Python with a broker, one per name.

    paho_talks.py PORT 31|311|5 NAME [TRANSPORT]

TRANSPORT is tcp, or websockets.
Exits 0 when the conversation went as it should. Waits for events only, at most PATIENCE seconds.
"""

import queue
import socket
import sys
import time

from paho.mqtt import client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

PATIENCE = 20
VERSIONS = {"31": mqtt.MQTTv31, "311": mqtt.MQTTv311, "5": mqtt.MQTTv5}


def properties(packet, **values):
    made = Properties(packet)
    for name, value in values.items():
        for one in value if isinstance(value, list) else [value]:
            setattr(made, name, one)
    return made


class Peer:
    """A client whose callbacks become queues that are waited on."""

    def __init__(self, name, clean=True, will=None, **connect_properties):
        self.v5 = VERSION == mqtt.MQTTv5
        self.client = mqtt.Client(
            client_id=f"{NAME}-{sys.argv[2]}-{name}",
            protocol=VERSION,
            transport=TRANSPORT,
            clean_session=None if self.v5 else clean,
        )
        self.connected, self.messages, self.done, self.log = (queue.Queue() for _ in range(4))
        self.client.on_connect = lambda _c, _u, flags, code, *_: self.connected.put((flags, code))
        self.client.on_message = lambda _c, _u, message: self.messages.put(message)
        self.client.on_publish = lambda _c, _u, mid: self.done.put(mid)
        self.client.on_subscribe = lambda _c, _u, mid, codes, *_: self.done.put(codes)
        self.client.on_unsubscribe = lambda _c, _u, mid, *_: self.done.put(mid)
        self.client.on_log = lambda _c, _u, _level, words: self.log.put(words)
        if will:
            self.client.will_set(*will)
        extra = {}
        if self.v5:
            extra = {
                "clean_start": clean,
                "properties": properties(PacketTypes.CONNECT, **connect_properties),
            }
        self.client.connect("localhost", PORT, **extra)
        self.client.loop_start()
        flags, code = self.connected.get(timeout=PATIENCE)
        expect(str(code) in ("0", "Success"), f"CONNACK says {code}")
        self.session_present = bool(flags["session present"])

    def subscribe(self, topic, qos=0, options=None, **values):
        extra = {"properties": properties(PacketTypes.SUBSCRIBE, **values)} if values else {}
        if options:
            self.client.subscribe(topic, options=options, **extra)
        else:
            self.client.subscribe(topic, qos, **extra)
        return [getattr(code, "value", code) for code in self.done.get(timeout=PATIENCE)]

    def publish(self, topic, payload, qos=0, retain=False, **values):
        extra = {"properties": properties(PacketTypes.PUBLISH, **values)} if values else {}
        self.client.publish(topic, payload, qos, retain, **extra)
        self.done.get(timeout=PATIENCE)

    def take(self):
        return self.messages.get(timeout=PATIENCE)

    def take_payloads(self, count):
        return [self.take().payload for _ in range(count)]

    def leave(self):
        self.client.disconnect()
        self.client.loop_stop()

    def vanish(self):
        """Without a DISCONNECT, as if the cable had been cut."""
        self.client._thread_terminate = True  # or it would connect again
        self.client.socket().shutdown(socket.SHUT_RDWR)


def expect(truth, words):
    if not truth:
        sys.exit(f"{NAME}: {words}")


def same(found, wanted, words):
    expect(found == wanted, f"{words}: {found!r} instead of {wanted!r}")


def same_in_order(payloads, wanted, words):
    """All numbers have come once, and in order among those of the same QoS, which goes by parity.

    Paho shows a message of QoS 2 when it is released, and so later than a QoS 1 sent after it.
    """
    numbers = [int(payload) for payload in payloads]
    same(sorted(numbers), list(wanted), words)
    for parity in (0, 1):
        mine = [number for number in numbers if number % 2 == parity]
        same(mine, sorted(mine), f"order of {words}")


def every_qos():
    left, right = Peer("left"), Peer("right")
    for asked in (0, 1, 2):
        same(left.subscribe(f"{TOPIC}/{asked}/+", asked), [asked], "granted")
        for sent in (0, 1, 2):
            for payload in (b"text", b"", bytes(range(256)), b"x" * 300_000):
                right.publish(f"{TOPIC}/{asked}/{sent}", payload, sent)
                message = left.take()
                same(message.topic, f"{TOPIC}/{asked}/{sent}", "topic")
                same(message.payload, payload, "payload")
                same(message.qos, min(asked, sent), "QoS")
                same(message.retain, False, "retain")


def many_in_flight():
    left, right = Peer("left"), Peer("right")
    left.subscribe(TOPIC, 2)
    right.client.max_inflight_messages_set(20)
    for number in range(500):
        right.client.publish(TOPIC, str(number), number % 2 + 1)
    # Paho itself sends those out of order that it had to hold back.
    same(sorted(map(int, left.take_payloads(500))), list(range(500)), "messages")


def unsubscribed():
    left, right = Peer("left"), Peer("right")
    left.subscribe(f"{TOPIC}/a", 1)
    left.subscribe(f"{TOPIC}/b", 1)
    left.client.unsubscribe(f"{TOPIC}/a")
    left.done.get(timeout=PATIENCE)
    right.publish(f"{TOPIC}/a", "not for you", 1)
    right.publish(f"{TOPIC}/b", "for you", 1)
    same(left.take().payload, b"for you", "first message")


def retained():
    right = Peer("right")
    for qos in (0, 1, 2):
        right.publish(f"{TOPIC}/{qos}", "old", qos, True)
        right.publish(f"{TOPIC}/{qos}", "last", qos, True)
    left = Peer("left")
    left.subscribe(f"{TOPIC}/#", 2)
    found = sorted((m.topic, m.payload, m.qos, m.retain) for m in (left.take() for _ in range(3)))
    same(found, [(f"{TOPIC}/{qos}", b"last", qos, True) for qos in (0, 1, 2)], "retained")
    for qos in (0, 1, 2):
        right.publish(f"{TOPIC}/{qos}", "", qos, True)
        same(left.take().retain, False, "retain of a live message")
    late = Peer("late")
    late.subscribe(f"{TOPIC}/#", 2)
    right.publish(f"{TOPIC}/0", "live")
    same(late.take().payload, b"live", "first message after clearing")


def will():
    left = Peer("left")
    left.subscribe(f"{TOPIC}/#", 2)
    for qos in (0, 1, 2):
        Peer(f"polite-{qos}", will=(f"{TOPIC}/{qos}", "never said", qos)).leave()
        Peer(f"doomed-{qos}", will=(f"{TOPIC}/{qos}", f"will {qos}", qos, True)).vanish()
        message = left.take()
        same((message.payload, message.qos), (f"will {qos}".encode(), qos), "will")
    late = Peer("late")
    late.subscribe(f"{TOPIC}/2", 2)
    same(late.take().payload, b"will 2", "retained will")
    for qos in (0, 1, 2):
        late.publish(f"{TOPIC}/{qos}", "", 1, True)


def session():
    kept = {"SessionExpiryInterval": 60} if VERSION == mqtt.MQTTv5 else {}
    left, right = Peer("left", clean=False, **kept), Peer("right")
    same(left.session_present, False, "session present at first")
    left.subscribe(f"{TOPIC}/#", 2)
    left.leave()
    for number in range(30):
        right.publish(f"{TOPIC}/{number}", str(number), 1 + number % 2)
    back = Peer("left", clean=False, **kept)
    if VERSION != mqtt.MQTTv31:
        same(back.session_present, True, "session present after coming back")
    same_in_order(back.take_payloads(30), range(30), "messages that waited")
    right.publish(f"{TOPIC}/live", "live", 2)
    same(back.take().payload, b"live", "a live message")
    back.leave()
    right.publish(f"{TOPIC}/lost", "lost", 1)
    fresh = Peer("left", clean=True)
    same(fresh.session_present, False, "session present after a clean start")
    fresh.subscribe(f"{TOPIC}/#", 2)
    right.publish(f"{TOPIC}/new", "new", 1)
    same(fresh.take().payload, b"new", "the first message after a clean start")


def takeover():
    first = Peer("left", will=(f"{TOPIC}/will", "taken over", 1))
    watch = Peer("watch")
    watch.subscribe(f"{TOPIC}/#", 1)
    gone = queue.Queue()
    first.client.on_disconnect = lambda *_: gone.put(True)
    first.client.reconnect_delay_set(min_delay=60, max_delay=60)
    second = Peer("left")
    expect(gone.get(timeout=PATIENCE), "the first connection is closed")
    same(watch.take().payload, b"taken over", "will")
    second.publish(f"{TOPIC}/second", "here", 1)
    same(watch.take().payload, b"here", "message of the second connection")


def keep_alive():
    left = Peer("left")
    left.client._keepalive = 1
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if "Received PINGRESP" in left.log.get(timeout=PATIENCE):
            return
    expect(False, "no PINGRESP came")


def all_properties():
    left, right = Peer("left"), Peer("right")
    left.subscribe(f"{TOPIC}/#", 2, SubscriptionIdentifier=268_435_455)
    pairs = [("a", "1"), ("b", ""), ("a", "2"), ("ü", "✓")]
    for qos in (0, 1, 2):
        right.publish(
            f"{TOPIC}/{qos}",
            "payload",
            qos,
            PayloadFormatIndicator=1,
            MessageExpiryInterval=100,
            ContentType="text/plain",
            ResponseTopic="answers/here",
            CorrelationData=b"\x00\x01\xff",
            UserProperty=pairs,
        )
        found = left.take().properties
        same(found.PayloadFormatIndicator, 1, "payload format indicator")
        expect(95 <= found.MessageExpiryInterval <= 100, "message expiry interval")
        same(found.ContentType, "text/plain", "content type")
        same(found.ResponseTopic, "answers/here", "response topic")
        same(found.CorrelationData, b"\x00\x01\xff", "correlation data")
        same(found.UserProperty, pairs, "user properties")
        same(found.SubscriptionIdentifier, [268_435_455], "subscription identifier")


def topic_alias():
    left, right = Peer("left"), Peer("right")
    left.subscribe(f"{TOPIC}/#", 1)
    right.publish(f"{TOPIC}/one", "1", 1, TopicAlias=1)
    right.publish(f"{TOPIC}/two", "2", 1, TopicAlias=2)
    right.publish("", "3", 1, TopicAlias=1)
    right.publish("", "4", 0, TopicAlias=2)
    right.publish(f"{TOPIC}/three", "5", 1, TopicAlias=1)
    right.publish("", "6", 1, TopicAlias=1)
    found = [(message.topic[len(TOPIC) + 1 :], int(message.payload)) for message in (left.take() for _ in range(6))]
    same(found, [("one", 1), ("two", 2), ("one", 3), ("two", 4), ("three", 5), ("three", 6)], "topics")


def expiry():
    left, right = Peer("left", clean=False, SessionExpiryInterval=60), Peer("right")
    left.subscribe(f"{TOPIC}/#", 1)
    left.leave()
    right.publish(f"{TOPIC}/short", "short", 1, MessageExpiryInterval=1)
    right.publish(f"{TOPIC}/long", "long", 1, MessageExpiryInterval=100)
    published = time.monotonic()
    while time.monotonic() < published + 2.5:
        time.sleep(0.05)
    back = Peer("left", clean=False, SessionExpiryInterval=60)
    message = back.take()
    same(message.payload, b"long", "the message that did not expire")
    expect(90 <= message.properties.MessageExpiryInterval <= 98, "what is left of the expiry")


def shared():
    members = [Peer(f"member-{number}") for number in range(3)]
    for member in members:
        member.subscribe(f"$share/workers/{TOPIC}", 1)
    plain, right = Peer("plain"), Peer("right")
    plain.subscribe(TOPIC, 1)
    for number in range(60):
        right.publish(TOPIC, str(number), 1)
    same([int(p) for p in plain.take_payloads(60)], list(range(60)), "what everybody gets")
    for member in members:
        member.publish(f"{TOPIC}-fence", "", 1)
    shares = [[int(m.payload) for m in drain(member)] for member in members]
    same(sorted(sum(shares, [])), list(range(60)), "what the members get together")
    for share in shares:
        expect(share, "a member gets nothing")
        same(share, sorted(share), "order of a share")


def drain(peer):
    """What has come to the peer up to a message of its own."""
    peer.subscribe(f"{TOPIC}-drain", 1)
    peer.publish(f"{TOPIC}-drain", "", 1)
    found = []
    while (message := peer.take()).topic != f"{TOPIC}-drain":
        found.append(message)
    return found


def options():
    right = Peer("right")
    right.publish(f"{TOPIC}/kept", "kept", 1, True)
    left = Peer("left")
    left.subscribe(
        f"{TOPIC}/#", options=SubscribeOptions(qos=1, noLocal=True, retainAsPublished=True, retainHandling=2)
    )
    left.publish(f"{TOPIC}/own", "own", 1)
    right.publish(f"{TOPIC}/kept", "again", 1, True)
    message = left.take()
    same((message.payload, message.retain), (b"again", True), "no-local, retain handling, retain as published")
    right.publish(f"{TOPIC}/kept", "", 1, True)


def flow():
    left = Peer("left", clean=False, SessionExpiryInterval=60, ReceiveMaximum=2)
    right = Peer("right")
    left.subscribe(TOPIC, 2)
    for number in range(40):
        right.publish(TOPIC, str(number), 1 + number % 2)
    same_in_order(left.take_payloads(40), range(40), "messages through a window of 2")


def too_large():
    left, right = Peer("left", MaximumPacketSize=1000), Peer("right")
    left.subscribe(TOPIC, 1)
    right.publish(TOPIC, b"x" * 2000, 1)
    right.publish(TOPIC, b"small", 1)
    same(left.take().payload, b"small", "what fits the maximum packet size")


TALKS = [
    *[every_qos, many_in_flight, unsubscribed, retained, will, session, takeover, keep_alive],
    *[all_properties, topic_alias, expiry, shared, options, flow, too_large],
]

PORT, VERSION, NAME = int(sys.argv[1]), VERSIONS[sys.argv[2]], sys.argv[3]
TRANSPORT = sys.argv[4] if len(sys.argv) > 4 else "tcp"
TOPIC = f"paho/{sys.argv[2]}/{NAME}"
{talk.__name__: talk for talk in TALKS}[NAME]()
