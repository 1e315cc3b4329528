"""Reads a trace of a broker's system calls, and fails unless there is a sync between every PUBLISH
that was read and the PUBACK that was written. One publisher at a time.

usage: sync_order.py TRACE COUNT   where COUNT is how many PUBACKs there must be at least
"""

import re
import sys

PUBLISH = re.compile(r'read\(\d+, "2')  # 32: QoS 1
PUBACK = re.compile(r'(?:write|writev|sendto|sendmsg)\(\d+, .*"@\\2\\0')  # 40 02 00
SYNCED = re.compile(r"(?:fdatasync|fsync)\(\d+\)\s+= 0|<\.\.\. (?:fdatasync|fsync) resumed>.*= 0")

acknowledged = 0
is_owed = False
for line in open(sys.argv[1], encoding="latin-1"):
    if PUBLISH.search(line):
        is_owed = True
    elif SYNCED.search(line):
        is_owed = False
    elif PUBACK.search(line):
        acknowledged += 1
        if is_owed:
            sys.exit("a PUBACK was written before the sync: " + line)
if acknowledged < int(sys.argv[2]):
    sys.exit(f"only {acknowledged} PUBACKs in the trace")
