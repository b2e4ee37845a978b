"""A pod's end of the probes: serves TCP, UDP and SCTP on ports 80 and 81 of both families, and probes others.

A line of input, `ID PROTOCOL ADDRESS PORT`, becomes a line of output, `ID yes` or `ID no`, as soon as that is known.
"""

import selectors
import socket
import sys
import threading

KINDS = {
    "tcp": (socket.SOCK_STREAM, 0),
    "udp": (socket.SOCK_DGRAM, 0),
    "sctp": (socket.SOCK_STREAM, socket.IPPROTO_SCTP),
}
LIMIT_S = float(sys.argv[1])
watched = selectors.DefaultSelector()


def serve(protocol, port, family, everywhere):
    kind, number = KINDS[protocol]
    try:
        server = socket.socket(family, kind, number)
    except OSError:
        return  # the kernel has no SCTP
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    server.bind((everywhere, port))
    if kind == socket.SOCK_STREAM:
        server.listen(64)
    watched.register(server, selectors.EVENT_READ, kind)


def answer():
    while True:
        for key, _ in watched.select():
            if key.data == socket.SOCK_STREAM:
                key.fileobj.accept()[0].close()
            else:
                data, source = key.fileobj.recvfrom(64)
                key.fileobj.sendto(data, source)


def probe(name, protocol, address, port):
    kind, number = KINDS[protocol]
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind, number) as client:
        client.settimeout(LIMIT_S)
        try:
            client.connect((address, int(port)))
            if kind == socket.SOCK_DGRAM:
                client.send(b"probe")
                client.recv(64)
            seen = "yes"
        except OSError:
            seen = "no"
    sys.stdout.write(f"{name} {seen}\n")
    sys.stdout.flush()


for protocol in KINDS:
    for port in (80, 81):
        serve(protocol, port, socket.AF_INET, "0.0.0.0")
        serve(protocol, port, socket.AF_INET6, "::")
threading.Thread(target=answer, daemon=True).start()
print("serving", flush=True)
for line in sys.stdin:
    threading.Thread(target=probe, args=line.split(), daemon=True).start()
