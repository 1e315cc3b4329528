"""What is measured: scenarios of the load generator by name, and what may be shown of them."""

FIGURES = ["cpu_us", "per_s"]
LATENCY = ["p50_us", "p99_us", "cpu_us"]


def broker():
    table = {}
    for size in (16, 256, 4096):
        table[f"fanin-q0-{size}"] = (f"fanin pubs=10 payload={size}", FIGURES)
    for qos in (1, 2):
        table[f"fanin-q{qos}-256"] = (f"fanin pubs=10 qos={qos}", FIGURES)
    for size in (16, 256, 4096):
        table[f"fanout10-q0-{size}"] = (f"fanout subs=10 payload={size}", FIGURES)
    for subs in (100, 1000):
        table[f"fanout{subs}-q0-256"] = (f"fanout subs={subs}", FIGURES)
    for subs in (10, 100, 1000):
        table[f"fanout{subs}-q1-256"] = (f"fanout subs={subs} qos=1", FIGURES)
    for qos in (0, 1, 2):
        table[f"pairs100-q{qos}"] = (f"pairs pubs=100 qos={qos}", FIGURES)
    # One message at a time: there is nothing to be done together.
    table["fanout10-w1"] = ("fanout subs=10 window=1", FIGURES)
    table["pairs1000-w1"] = ("pairs pubs=1000 payload=64 window=1", FIGURES)
    table["pairs10-idle10k"] = ("pairs pubs=10 payload=64 window=1 idle=10000", FIGURES)
    table["storm"] = ("storm subs=64", FIGURES)
    table["ack20-none"] = ("ack inflight=20 qos=1", FIGURES)
    table["ack20-online"] = ("ack inflight=20 qos=1 sink=online", FIGURES)
    table["ack20-offline"] = ("ack inflight=20 qos=1 sink=asleep count=40000", FIGURES)
    for size in (16, 256):
        table[f"retained-{size}"] = (
            f"retained qos=1 inflight=200 count=100000 payload={size}",
            ["store cpu_us", "send cpu_us", "bytes retained"],
        )
    table["offline-50k"] = (
        "queue qos=1 inflight=100 count=50000",
        ["store cpu_us", "drain cpu_us", "bytes queued"],
    )
    table["idle-10000"] = ("idle idle=10000", ["bytes a connection", "cpu %"])
    for filters in (1000, 100_000, 1_000_000):
        table[f"match-{filters}"] = (
            f"match filters={filters} payload=64 patience=120",
            ["cpu_us", "subscribe cpu_us", "bytes a subscription"],
        )
    table["latency-5k"] = ("pairs pubs=10 rate=5000", LATENCY)
    return table


def durable():
    return {
        "asleep": ("ack pubs=20 inflight=20 qos=1 sink=asleep count=200000", ["per_s", "cpu_us"]),
        "keeping up": ("ack pubs=20 inflight=20 qos=1 sink=durable", ["per_s", "cpu_us"]),
    }


# The plot's three panels: what grows, what is counted, and the scenario for each value.
PLOT = {
    "subscribers": ("delivery", {n: f"fanout subs={n}" for n in (1, 10, 100, 1000)}),
    "subscriptions": (
        "published message",
        {n: f"match filters={n} payload=64 patience=120" for n in (1, 1000, 10_000, 100_000, 1_000_000)},
    ),
    "bytes of payload": (
        "message", {n: f"fanin pubs=10 payload={n}" for n in (16, 256, 4096, 65536)}
    ),
}

# User-space instructions for a message, under callgrind: the scenario without its count, and the
# two counts whose difference is taken, so that starting and connecting do not matter; and how
# many deliveries a message makes. Where many go at once, the broker gets them in steps, so that
# there is as much to do in one turn of its loop whatever else the machine does.
STEP = "payload=64 window=64 batch=64 step=1"
INSTRUCTIONS = {
    "fanin-q0": (f"fanin {STEP}", 6_400, 64_000, 1),
    "fanin-q1": (f"fanin qos=1 {STEP}", 6_400, 38_400, 1),
    "fanin-q2": (f"fanin qos=2 {STEP}", 6_400, 38_400, 1),
    "fanout100-q1": (f"fanout subs=100 qos=1 {STEP}", 128, 1_280, 100),
    "pairs10-w1": ("pairs pubs=10 payload=64 window=1", 5_000, 25_000, 1),
}
