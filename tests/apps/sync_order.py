"""Reads a trace of system calls and fails unless every PUBACK was written after a sync of its own.

usage: sync_order.py TRACE COUNT   where COUNT is how many PUBACKs there must be at least
"""

import re
import sys

PUBACK = re.compile(r'(?:write|writev|sendto|sendmsg)\(\d+, .*"@\\2\\0')
WAL_WRITE = re.compile(r"pwrite64\(")
SYNC_DONE = re.compile(r"(?:fdatasync|fsync)\(\d+\)\s+= 0|<\.\.\. (?:fdatasync|fsync) resumed>.*= 0")

acknowledged = 0
is_synced = True
for line in open(sys.argv[1], encoding="latin-1"):
    if WAL_WRITE.search(line):
        is_synced = False
    elif SYNC_DONE.search(line):
        is_synced = True
    elif PUBACK.search(line):
        acknowledged += 1
        if not is_synced:
            sys.exit("a PUBACK was written before the sync: " + line)
if acknowledged < int(sys.argv[2]):
    sys.exit(f"only {acknowledged} PUBACKs in the trace")
