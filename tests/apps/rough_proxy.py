#!/usr/bin/env python3
"""A network that is far away and not well: passes TCP on to a port of this machine, late, and now
and then stands still or breaks.

    rough_proxy.py PORT [--delay SECONDS] [--rate BYTES] [--cut BYTES,...] [--stall BYTES,... --stall-for SECONDS]

Prints the port that it listens on. The bytes that come from clients are counted over all
connections: where the count passes a number of --cut, both sides are reset; where it passes one of
--stall, nothing passes for a while. --rate is what passes in a second. Each line of standard output says what was done.
"""

import argparse
import asyncio
import socket
import struct

CHUNK = 64 * 1024


def numbers(text):
    return sorted(int(number) for number in text.split(","))


class Proxy:
    def __init__(self, options):
        self.options = options
        self.cuts = options.cut
        self.stalls = options.stall
        self.passed = 0

    async def serve(self):
        listener = socket.create_server(("127.0.0.1", 0))
        if self.options.rate:  # what the system takes beforehand is no slow network
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, CHUNK)
        server = await asyncio.start_server(self.on_client, sock=listener, limit=CHUNK)
        print(server.sockets[0].getsockname()[1], flush=True)
        async with server:
            await server.serve_forever()

    async def on_client(self, reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection(
                "127.0.0.1", self.options.port, limit=CHUNK
            )
        except OSError:
            writer.transport.abort()
            return
        ends = (writer, far_writer)
        await asyncio.gather(
            self.pass_on(reader, far_writer, ends, counts=True),
            self.pass_on(far_reader, writer, ends, counts=False),
        )

    async def pass_on(self, reader, writer, ends, counts):
        """Reads on while what was read is under way: a delay is not a narrow pipe."""
        under_way = asyncio.Queue(maxsize=256)
        delivery = asyncio.create_task(self.deliver(under_way, writer, ends))
        try:
            data, is_last = None, False
            while data != b"" and not is_last:
                data = await reader.read(CHUNK)
                due = asyncio.get_running_loop().time() + self.options.delay
                is_last = counts and await self.count(len(data), ends)
                await under_way.put((due, data, is_last))
                if self.options.rate:
                    await asyncio.sleep(len(data) / self.options.rate)
            await delivery
        except (OSError, asyncio.CancelledError):
            delivery.cancel()

    async def deliver(self, under_way, writer, ends):
        is_last = False
        try:
            while not is_last:
                due, data, is_last = await under_way.get()
                await asyncio.sleep(max(0, due - asyncio.get_running_loop().time()))
                if not data:
                    writer.close()
                    return
                writer.write(data)
                await writer.drain()
        except OSError:
            return
        # What came last has arrived, but no answer to it comes back.
        await asyncio.sleep(self.options.delay / 2)
        print("cuts", flush=True)
        for end in ends:
            raw = end.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.transport.abort()

    async def count(self, size, ends):
        """Returns whether the connection is to be cut behind these bytes."""
        self.passed += size
        if self.stalls and self.passed >= self.stalls[0]:
            self.stalls.pop(0)
            print("stalls", flush=True)
            for end in ends:
                end.transport.pause_reading()
            await asyncio.sleep(self.options.stall_for)
            for end in ends:
                end.transport.resume_reading()
        if self.cuts and self.passed >= self.cuts[0]:
            self.cuts.pop(0)
            return True
        return False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--delay", type=float, default=0)
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--cut", type=numbers, default=[])
    parser.add_argument("--stall", type=numbers, default=[])
    parser.add_argument("--stall-for", type=float, default=1)
    try:
        asyncio.run(Proxy(parser.parse_args()).serve())
    except KeyboardInterrupt:
        pass


main()
