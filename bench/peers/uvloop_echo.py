# SPDX-License-Identifier: MIT
"""An echo server as one writes it for asyncio: uvloop_echo.py [--asyncio] [--streams] PORT.

It runs on uvloop unless --asyncio asks for asyncio's own loop, and is a protocol unless
--streams asks for a reader and a writer.
"""
import argparse
import asyncio


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


async def echo(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    writer.close()


async def serve(options):
    if options.streams:
        server = await asyncio.start_server(echo, "127.0.0.1", options.port, backlog=4096)
    else:
        server = await asyncio.get_running_loop().create_server(
            Echo, "127.0.0.1", options.port, backlog=4096)
    print("ready", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    parser.add_argument("--asyncio", action="store_true", help="not on uvloop")
    parser.add_argument("--streams", action="store_true", help="a reader and a writer")
    options = parser.parse_args()
    if not options.asyncio:
        import uvloop
        uvloop.install()
    asyncio.run(serve(options))


main()
