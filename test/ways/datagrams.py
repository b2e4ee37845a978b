"""Datagrams of UDP: `echo ADDRESS PORT` answers each; `send FROM TO PORT NUMBER` prints how many of so many are answered."""
import socket
import sys


def opened(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    of = socket.socket(family, socket.SOCK_DGRAM)
    of.bind((address, port))
    return of


what, address, *rest = sys.argv[1:]
if what == "echo":
    [port] = rest
    of = opened(address, int(port))
    print("ready", flush=True)
    while True:
        data, sender = of.recvfrom(2048)
        of.sendto(data, sender)
else:
    to, port, number = rest
    of = opened(address, int(port))
    of.connect((to, int(port)))
    of.settimeout(2)
    answered = 0
    for each in range(int(number)):
        of.send(b"%d" % each)
        try:
            answered += of.recv(2048) == b"%d" % each
        except (TimeoutError, ConnectionError):
            pass
    print(answered)
