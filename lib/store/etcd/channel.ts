/** How a connection to one member is made. */
import { isIP } from "node:net";
import { checkServerIdentity } from "node:tls";
import { ChannelCredentials, Client, type ClientOptions } from "@grpc/grpc-js";
import type { Tls } from "./tls.ts";

const OPTIONS: ClientOptions = {
  // A member that is gone without a word is noticed within 15 s; etcd allows a ping every 5 s.
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 5_000,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 3_000,
  // What a watch has missed comes in one message.
  "grpc.max_receive_message_length": -1,
  // Proxies of the environment are for what leaves the cluster.
  "grpc.enable_http_proxy": 0,
  "grpc.use_local_subchannel_pool": 1,
};

/** @param endpoint `https://[2001:db8::10]:2379` @param tls absent: plain @param serverName in the member's certificate, instead of the host */
export function clientOf(endpoint: string, tls: Tls | undefined, serverName: string | undefined): Client {
  const { host, name } = partsOf(endpoint);
  if (tls === undefined) return new Client(targetOf(host, name), ChannelCredentials.createInsecure(), OPTIONS);
  const certified = serverName ?? name;
  const credentials = ChannelCredentials.createFromSecureContext(tls.context, {
    checkServerIdentity: (_, certificate) => checkServerIdentity(certified, certificate),
  });
  // RFC 6066, section 3: an address is no server name, and Node refuses one, but grpc-js always sends something.
  const sent = isIP(certified) === 0 ? certified : "etcd";
  return new Client(targetOf(host, name), credentials, { ...OPTIONS, "grpc.ssl_target_name_override": sent });
}

/** The host with its port, and alone without brackets. */
export function partsOf(endpoint: string): { host: string; name: string } {
  const { host, hostname, protocol } = new URL(endpoint);
  const withPort = /:\d+$/.test(host) ? host : `${host}:${protocol === "https:" ? 443 : 80}`;
  return { host: withPort, name: hostname.replace(/^\[(.*)\]$/, "$1") };
}

/** As grpc-js names servers (grpc/doc/naming.md). */
export function targetOf(host: string, name: string): string {
  const family = isIP(name);
  return `${family === 0 ? "dns" : `ipv${family}`}:${host}`;
}
