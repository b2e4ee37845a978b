import { expect, test } from "@jest/globals";
import { address, prefix } from "#lib/address.ts";
import { keyFileName, publicKeyOf } from "./key.ts";
import { errnoIn, readDevice, setText } from "./uapi.ts";

const OWN = "pOCSkrZRwni5dyxWn1+puxPZBrRqtoyd+dwrRAn4ogk=";
const PEER = "zo060cy2M+x7cMF4FKXHbs0CloUFDTRHRboFhw5YfVk=";
const PEER_HEX = "ce8d3ad1ccb633ec7b70c17814a5c76ecd029685050d344745ba05870e587d59";

test("a public key follows from its private half", () => expect(publicKeyOf(Buffer.alloc(32, 1))).toBe(OWN));

test("a key's file has a name without slashes", () =>
  expect(keyFileName("rAGyIJ6GNU+4UyN7XeD0+rE8f8v0M6YcAZNpYX/s8Qs=")).toBe(
    "rAGyIJ6GNU-4UyN7XeD0-rE8f8v0M6YcAZNpYX_s8Qs.key",
  ));

test("what a device is told", () =>
  expect(
    setText({
      privateKey: Buffer.alloc(32, 1),
      port: 51_830,
      peers: [
        { publicKey: OWN },
        {
          publicKey: PEER,
          to: {
            endpoint: { address: address("fd00::1"), port: 7 },
            allowed: [prefix("10.6.0.0/26"), prefix("fd00:6::/122")],
          },
        },
      ],
    }),
  ).toBe(
    `set=1
private_key=${"01".repeat(32)}
listen_port=51830
public_key=a4e09292b651c278b9772c569f5fa9bb13d906b46ab68c9df9dc2b4409f8a209
remove=true
public_key=${PEER_HEX}
endpoint=[fd00::1]:7
replace_allowed_ips=true
allowed_ip=10.6.0.0/26
allowed_ip=fd00:6::/122

`,
  ));

test("what it tells", () =>
  expect(
    readDevice(`private_key=${"01".repeat(32)}
listen_port=51830
public_key=${PEER_HEX}
preshared_key=${"00".repeat(32)}
protocol_version=1
endpoint=[fd00::1]:7
last_handshake_time_sec=1700000000
last_handshake_time_nsec=5
tx_bytes=11
rx_bytes=12
persistent_keepalive_interval=0
allowed_ip=fd00:6::/122
allowed_ip=10.6.0.0/26
public_key=a4e09292b651c278b9772c569f5fa9bb13d906b46ab68c9df9dc2b4409f8a209
last_handshake_time_sec=0
errno=0

`),
  ).toEqual({
    publicKey: OWN,
    port: 51_830,
    peers: [
      {
        publicKey: PEER,
        endpoint: { address: "fd00::1", port: 7 },
        allowed: ["10.6.0.0/26", "fd00:6::/122"],
        lastHandshakeSeconds: 1_700_000_000,
        rxBytes: 12,
        txBytes: 11,
      },
      { publicKey: OWN, allowed: [], rxBytes: 0, txBytes: 0 },
    ],
  }));

test.each([
  ["errno=0\n\n", 0],
  ["errno=-22\n\n", 22],
  ["", 5],
])("%j ends with %d", (answer, code) => expect(errnoIn(answer)).toBe(code));
