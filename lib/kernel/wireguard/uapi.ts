/**
 * wireguard-go's configuration protocol (wireguard.com/xplatform, "Configuration Protocol"): lines of `key=value` on a Unix
 * socket, keys in hexadecimal; an empty line ends a request and an answer.
 */
import { type Address, address, prefix } from "#lib/address.ts";
import { type DeviceChange, keyToBytes, type SeenDevice, type SeenPeer } from "./device.ts";
import { publicKeyOf } from "./key.ts";

export const GET = "get=1\n\n";

const hex = (base64: string): string => Buffer.from(keyToBytes(base64)).toString("hex");

export function setText({ privateKey, port, peers }: DeviceChange): string {
  const lines = [
    "set=1",
    ...(privateKey === undefined ? [] : [`private_key=${Buffer.from(privateKey).toString("hex")}`]),
    ...(port === undefined ? [] : [`listen_port=${port}`]),
    ...peers.flatMap(({ publicKey, to }) => [
      `public_key=${hex(publicKey)}`,
      ...(to === undefined
        ? ["remove=true"]
        : [
            `endpoint=${to.endpoint.address.includes(":") ? `[${to.endpoint.address}]` : to.endpoint.address}:${to.endpoint.port}`,
            "replace_allowed_ips=true",
            ...to.allowed.map((each) => `allowed_ip=${each}`),
          ]),
    ]),
  ];
  return `${lines.join("\n")}\n\n`;
}

/** The number of an answer's last line, as errno.h has them; 0 is success. */
export const errnoIn = (answer: string): number => Math.abs(Number(/^errno=(-?\d+)$/m.exec(answer)?.[1] ?? 5));

type Open = { -readonly [K in keyof SeenPeer]: SeenPeer[K] };

/** The answer to `GET`. */
export function readDevice(answer: string): SeenDevice {
  let key: string | undefined;
  let port = 0;
  const peers: Open[] = [];
  for (const line of answer.split("\n")) {
    const at = line.indexOf("=");
    const [name, value] = [line.slice(0, at), line.slice(at + 1)];
    const peer = peers.at(-1);
    if (name === "private_key") key = /^0*$/.test(value) ? undefined : publicKeyOf(Buffer.from(value, "hex"));
    else if (name === "listen_port") port = Number(value);
    else if (name === "public_key")
      peers.push({ publicKey: Buffer.from(value, "hex").toString("base64"), allowed: [], rxBytes: 0, txBytes: 0 });
    else if (peer === undefined) continue;
    else if (name === "endpoint") peer.endpoint = readEndpoint(value);
    else if (name === "allowed_ip") peer.allowed = [...peer.allowed, prefix(value)].sort();
    else if (name === "last_handshake_time_sec" && value !== "0") peer.lastHandshakeSeconds = Number(value);
    else if (name === "rx_bytes") peer.rxBytes = Number(value);
    else if (name === "tx_bytes") peer.txBytes = Number(value);
  }
  return { ...(key === undefined ? {} : { publicKey: key }), port, peers };
}

function readEndpoint(text: string): { address: Address; port: number } {
  const at = text.lastIndexOf(":");
  return { address: address(text.slice(0, at).replace(/^\[|\]$/g, "")), port: Number(text.slice(at + 1)) };
}
