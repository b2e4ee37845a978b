"""Sends one outer packet of VXLAN (RFC 7348) whose frame is for everybody: segment.py VNI TO SOURCE DESTINATION

TO is where the outer packet goes, IPv4; SOURCE and DESTINATION are of the UDP datagram inside.
"""

import ipaddress
import socket
import struct
import sys

PORT = 4789


def checksum(header):
    total = sum(struct.unpack("!10H", header))
    total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF ^ ((total & 0xFFFF) + (total >> 16))


vni, to, *ends = sys.argv[1:]
source, destination = (ipaddress.ip_address(each).packed for each in ends)
datagram = struct.pack("!HHHH", 7, 7, 8, 0)
head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, 0, 0, 64, socket.IPPROTO_UDP, 0, source, destination)
head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
frame = b"\xff" * 6 + b"\x02\x00\x00\x00\x00\x09" + b"\x08\x00" + head + datagram

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outer:
    outer.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    outer.sendto(b"\x08\x00\x00\x00" + int(vni).to_bytes(3, "big") + b"\x00" + frame, (to, PORT))
