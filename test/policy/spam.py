"""Sends to an address without ever stopping, from before there is an interface, and counts what comes in from there.

A line of input is answered with the number of packets that came since the last one.
"""

import socket
import sys
import threading
import time

other = (sys.argv[1], 9)
sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sink.bind(("0.0.0.0", 9))
came = 0


def count():
    global came
    while True:
        _, source = sink.recvfrom(64)
        if source[0] == other[0]:
            came += 1


def send():
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    while True:
        try:
            sender.sendto(b"first", other)
        except OSError:
            pass  # no interface, no route yet
        time.sleep(0.0002)


threading.Thread(target=count, daemon=True).start()
threading.Thread(target=send, daemon=True).start()
for _ in sys.stdin:
    print(came, flush=True)
    came = 0
