import { expect, test } from "@jest/globals";
import { portVlanRequest, readVlans, VLAN_INFO } from "./bridge-vlan.ts";

const bytes = (...hex: string[]): Uint8Array => Uint8Array.from(Buffer.from(hex.join("").replaceAll(" ", ""), "hex"));

test("VLANs of one kind come as a range, others one by one", () => {
  const body = bytes(
    "07000000 09000000", // struct br_vlan_msg: AF_BRIDGE, ifindex 9
    "0c00 0180", // BRIDGE_VLANDB_ENTRY
    "0800 0100 0600 6400", // BRIDGE_VLANDB_ENTRY_INFO: PVID and UNTAGGED, 100
    "1400 0180",
    "0800 0100 0000 c800", // 200
    "0600 0200 ca00 0000", // BRIDGE_VLANDB_ENTRY_RANGE: to 202
  );
  expect(readVlans(body)).toEqual({
    index: 9,
    vlans: [
      { vid: 100, flags: VLAN_INFO.PVID | VLAN_INFO.UNTAGGED },
      { vid: 200, flags: 0 },
      { vid: 201, flags: 0 },
      { vid: 202, flags: 0 },
    ],
  });
});

test("a VLAN for a port as the bytes that the kernel takes", () => {
  const body = portVlanRequest.body({ family: 7, index: 9 }, { specific: { flags: 1, info: { flags: 6, vid: 100 } } });
  expect(Buffer.from(body).toString("hex")).toBe(
    [
      "07000000 09000000 00000000 00000000", // struct ifinfomsg
      "1400 1a80", // IFLA_AF_SPEC, nested
      "0600 0000 0100 0000", // IFLA_BRIDGE_FLAGS: the master's
      "0800 0200 0600 6400", // IFLA_BRIDGE_VLAN_INFO
    ]
      .join("")
      .replaceAll(" ", ""),
  );
});
