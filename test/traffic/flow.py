"""flow.py sink PORT: counts what comes, and answers the count at the end of each stream.
flow.py send ADDRESS PORT SECONDS [SOURCE]: sends for so long and prints bits per second, as the sink counted them."""
import socket
import sys
import threading
import time


def count(stream):
    total, began = 0, None
    while True:
        data = stream.recv(65_536)
        if not data:
            break
        if began is None:
            began = time.monotonic()
        total += len(data)
    spent = time.monotonic() - (began or 0)
    stream.sendall(str(int(total * 8 / spent)).encode())
    stream.close()


if sys.argv[1] == "sink":
    server = socket.create_server(("::", int(sys.argv[2])), family=socket.AF_INET6, dualstack_ipv6=True)
    print("ready", flush=True)
    while True:
        threading.Thread(target=count, args=(server.accept()[0],), daemon=True).start()
else:
    address, port, seconds = sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    source = (sys.argv[5], 0) if len(sys.argv) > 5 else None
    stream = socket.create_connection((address, port), timeout=seconds + 10, source_address=source)
    until = time.monotonic() + seconds
    block = bytes(16_384)
    while time.monotonic() < until:
        stream.sendall(block)
    stream.shutdown(socket.SHUT_WR)
    print(stream.recv(64).decode(), flush=True)
