"""A peer for traffic: `serve PROTOCOL PORT NAME`, or `ask PROTOCOL ADDRESS PORT SECONDS BYTES`.

The server says who it is, whom it saw, and how many bytes came: "a 10.88.0.2 5". One connection, or one datagram, is one
question; a stream's question ends when the client has shut its side down.
"""

import socket
import sys

KINDS = {
    "tcp": (socket.SOCK_STREAM, 0),
    "udp": (socket.SOCK_DGRAM, 0),
    "sctp": (socket.SOCK_STREAM, 132),
}


def plain(address):
    return address.removeprefix("::ffff:")


def serve(protocol, port, name):
    kind, number = KINDS[protocol]
    listener = socket.socket(socket.AF_INET6, kind, number)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.bind(("::", int(port)))
    if protocol != "udp":
        listener.listen(16)
    print("ready", flush=True)
    while True:
        if protocol == "udp":
            data, peer = listener.recvfrom(65535)
            listener.sendto(f"{name} {plain(peer[0])} {len(data)}".encode(), peer)
            continue
        connection, peer = listener.accept()
        with connection:
            connection.settimeout(30)
            count = 0
            try:
                while data := connection.recv(65536):
                    count += len(data)
                    if protocol == "sctp":
                        break
                connection.sendall(f"{name} {plain(peer[0])} {count}".encode())
            except OSError:
                pass


def ask(protocol, address, port, seconds, size):
    kind, number = KINDS[protocol]
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind, number) as client:
        client.settimeout(float(seconds))
        client.connect((address, int(port)))
        client.sendall(b"x" * int(size))
        if protocol == "tcp":
            client.shutdown(socket.SHUT_WR)
        print(client.recv(65536).decode())


if __name__ == "__main__":
    {"serve": serve, "ask": ask}[sys.argv[1]](*sys.argv[2:])
