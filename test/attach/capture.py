"""Prints a line for each IP packet with a port or an echo in it that passes a link: "LINK in|out SOURCE DESTINATION".

With a text as argument there is a line "LINK in|out text" besides for each packet that holds it.
A line of input is answered with "all" when everything that has passed until then is told of.
A packet socket on every link of the namespace (packet(7)); neighbour discovery and the like are not told of.
"""

import ipaddress
import select
import socket
import sys

ETH_P_ALL, ETH_P_IP, ETH_P_IPV6 = 3, 0x0800, 0x86DD
PACKET_OUTGOING = 4
TCP, UDP, ECHO, ECHO6 = 6, 17, (8, 0), (128, 129)


def ends(kind, data):
    """Source and destination, or nothing for what is not told of."""
    if kind == ETH_P_IP:
        protocol, at, addresses = data[9], (data[0] & 15) * 4, (data[12:16], data[16:20])
        echo = protocol == 1 and data[at] in ECHO
    elif kind == ETH_P_IPV6:
        protocol, at, addresses = data[6], 40, (data[8:24], data[24:40])
        echo = protocol == 58 and data[at] in ECHO6
    else:
        return None
    return [str(ipaddress.ip_address(each)) for each in addresses] if echo or protocol in (TCP, UDP) else None


text = sys.argv[1].encode() if len(sys.argv) > 1 else None

with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL)) as packets:
    packets.setblocking(False)
    print("ready", flush=True)
    while True:
        readable, _, _ = select.select([packets, sys.stdin], [], [])
        asked = sys.stdin in readable and sys.stdin.readline()
        try:
            while True:
                data, (link, kind, direction, *_) = packets.recvfrom(65535)
                found = ends(kind, data)
                if found and link != "lo":
                    print(link, "out" if direction == PACKET_OUTGOING else "in", *found, flush=True)
                if text and link != "lo" and text in data:
                    print(link, "out" if direction == PACKET_OUTGOING else "in", "text", flush=True)
        except BlockingIOError:
            if asked:
                print("all", flush=True)
            elif sys.stdin in readable:
                break
