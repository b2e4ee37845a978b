"""Prints one JSON object for each IP packet that passes the links of this namespace; copies in VXLAN, GRE and ERSPAN opened."""
import json
import socket
import struct

ETH_P_ALL = 3
OUTGOING = 4


def network(kind, data):
    """Fields of an IPv4 or IPv6 packet, its ports among them; None for anything else."""
    if kind == 0x0800 and len(data) >= 20:
        header = (data[0] & 15) * 4
        found = {"tos": data[1], "protocol": data[9]}
        found["src"] = socket.inet_ntop(socket.AF_INET, data[12:16])
        found["dst"] = socket.inet_ntop(socket.AF_INET, data[16:20])
    elif kind == 0x86DD and len(data) >= 40:
        header = 40
        found = {"tos": (data[0] & 15) << 4 | data[1] >> 4, "protocol": data[6]}
        found["src"] = socket.inet_ntop(socket.AF_INET6, data[8:24])
        found["dst"] = socket.inet_ntop(socket.AF_INET6, data[24:40])
    else:
        return None
    rest = data[header:]
    if found["protocol"] in (6, 17) and len(rest) >= 4:
        found["sport"], found["dport"] = struct.unpack("!HH", rest[:4])
    copy = carried(found, rest)
    if copy is not None:
        found["carries"] = copy
    return found


def carried(outer, rest):
    """The frame within, with the number that its tunnel gives it (VNI or session)."""
    if outer["protocol"] == 17 and outer.get("dport") == 4789 and len(rest) >= 30:
        return frame(rest[16:], int.from_bytes(rest[12:15], "big"))
    if outer["protocol"] == 47 and len(rest) >= 4:
        flags, kind = struct.unpack("!HH", rest[:4])
        if kind == 0x6558:
            return frame(rest[4:], 0)
        if kind == 0x88BE and flags & 0x1000 and len(rest) >= 16:
            return frame(rest[16:], struct.unpack("!H", rest[10:12])[0] & 0x3FF)
    return None


def frame(data, number):
    if len(data) < 14:
        return None
    inner = network(struct.unpack("!H", data[12:14])[0], data[14:])
    return None if inner is None else {"number": number, **inner}


packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
packets.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_000_000)
print("ready", flush=True)
while True:
    data, (link, kind, way, _, _) = packets.recvfrom(65_535)
    found = network(kind, data)
    if found is not None:
        seen = {"link": link, "way": "out" if way == OUTGOING else "in", "bytes": len(data)}
        print(json.dumps({**seen, **found}), flush=True)
