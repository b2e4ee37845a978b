import { execFileSync } from "node:child_process";
import { expect } from "@jest/globals";
import { type Conntrack, openConntrack } from "#lib/kernel/conntrack.ts";
import { needing } from "../support/requirement.ts";

const test = needing("root", { program: "conntrack" }, { program: "nft" });

const run = (file: string, ...args: string[]): string => execFileSync(file, args, { encoding: "utf8", stdio: "pipe" });

interface Connection {
  readonly protocol: "tcp" | "udp";
  readonly original: readonly [from: string, to: string];
  /** Where the answer comes from and goes to: differs from the original under translation. */
  readonly reply: readonly [from: string, to: string];
  readonly port: number;
}

const connections: Readonly<Record<string, Connection>> = {
  "out, masqueraded": {
    protocol: "tcp",
    original: ["10.1.0.5", "1.1.1.1"],
    reply: ["1.1.1.1", "192.0.2.1"],
    port: 443,
  },
  "in by a host port": {
    protocol: "tcp",
    original: ["9.9.9.9", "192.0.2.1"],
    reply: ["10.1.0.5", "9.9.9.9"],
    port: 8080,
  },
  "straight in": { protocol: "udp", original: ["10.1.0.9", "10.1.0.5"], reply: ["10.1.0.5", "10.1.0.9"], port: 53 },
  "of another pod": { protocol: "udp", original: ["10.1.0.6", "1.1.1.1"], reply: ["1.1.1.1", "192.0.2.1"], port: 53 },
  "IPv6, in by a host port": {
    protocol: "udp",
    original: ["2001:db8::9", "2001:db8::1"],
    reply: ["fd00::5", "2001:db8::9"],
    port: 8080,
  },
  "IPv6, of another pod": {
    protocol: "tcp",
    original: ["fd00::6", "2001:db8::9"],
    reply: ["2001:db8::9", "fd00::6"],
    port: 8080,
  },
};

/** Makes all connections anew with a program that is not ours. */
function track(): void {
  // Conntrack is only there for a namespace whose ruleset asks for it.
  run(
    "nft",
    "add table inet t; add chain inet t c { type filter hook input priority 0; }; add rule inet t c ct state new",
  );
  for (const ipv of ["ipv4", "ipv6"]) run("conntrack", "-F", "-f", ipv);
  for (const { protocol, original, reply, port } of Object.values(connections)) {
    const state = protocol === "tcp" ? ["--state", "ESTABLISHED"] : [];
    run(
      "conntrack",
      "-I",
      "-p",
      protocol,
      "--timeout",
      "100",
      "-s",
      original[0],
      "-d",
      original[1],
      "--reply-src",
      reply[0],
      "--reply-dst",
      reply[1],
      "--sport",
      "40000",
      "--dport",
      String(port),
      "--reply-port-src",
      String(port),
      "--reply-port-dst",
      "40000",
      ...state,
    );
  }
}

/** Names of the connections that are tracked now. */
function tracked(): string[] {
  const lines = ["ipv4", "ipv6"].flatMap((ipv) => run("conntrack", "-L", "-f", ipv).split("\n"));
  return Object.entries(connections).flatMap(
    ([
      name,
      {
        protocol,
        original: [from, to],
        port,
      },
    ]) =>
      lines.some(
        (line) => line.startsWith(protocol) && line.includes(` src=${from} dst=${to} sport=40000 dport=${port} `),
      )
        ? [name]
        : [],
  );
}

const cases: [what: string, flush: (of: Conntrack) => Promise<number>, gone: string[]][] = [
  ["an IPv4 address", (of) => of.flush(["10.1.0.5"]), ["out, masqueraded", "in by a host port", "straight in"]],
  ["an IPv6 address", (of) => of.flush(["fd00::5"]), ["IPv6, in by a host port"]],
  ["both addresses of a pod", (of) => of.flush(["10.1.0.6", "fd00::6"]), ["of another pod", "IPv6, of another pod"]],
  ["an address without connections", (of) => of.flush(["10.1.0.77"]), []],
  ["no address", (of) => of.flush([]), []],
  ["what begins at an address untranslated", (of) => of.flushUntranslated(["10.1.0.9", "10.1.0.6"]), ["straight in"]],
  ["the same of IPv6", (of) => of.flushUntranslated(["fd00::6", "fd00::5"]), ["IPv6, of another pod"]],
  ["what ends there untranslated", (of) => of.flushUntranslated(["10.1.0.5"]), []],
  ["a TCP port, in both families", (of) => of.flushPort("tcp", 8080), ["in by a host port", "IPv6, of another pod"]],
  ["a UDP port", (of) => of.flushPort("udp", 8080), ["IPv6, in by a host port"]],
  ["an SCTP port", (of) => of.flushPort("sctp", 8080), []],
];

test.each(cases)("flushing %s deletes its connections and no other, once", async (_, flush, gone) => {
  track();
  using conntrack = openConntrack();
  expect(tracked()).toEqual(Object.keys(connections));
  expect(await flush(conntrack)).toBe(gone.length);
  expect(tracked()).toEqual(Object.keys(connections).filter((name) => !gone.includes(name)));
  expect(await flush(conntrack)).toBe(0);
});

test("flushes that are asked for together each count their own", async () => {
  track();
  using conntrack = openConntrack();
  const both = [
    conntrack.flush(["10.1.0.5"]),
    conntrack.flush(["10.1.0.6", "fd00::6"]),
    conntrack.flushPort("udp", 53),
  ];
  expect(await Promise.all(both)).toEqual([3, 2, 1]);
  expect(tracked()).toEqual(["IPv6, in by a host port"]);
});

test("the table has cases", () => expect(cases.length).toBe(11));

test("cost beside many connections (printed)", async () => {
  run(
    "nft",
    "add table inet t; add chain inet t o { type filter hook output priority 0; }; add rule inet t o ct state new",
  );
  track();
  const script = `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(20000): s.sendto(b"", ("127.%d.%d.1" % (i // 250, i % 250), 9))`;
  run("python3", "-c", script);
  const count = Number(run("conntrack", "-C"));
  using conntrack = openConntrack();
  const start = performance.now();
  const gone = await conntrack.flush(["10.1.0.5"]);
  const middle = performance.now();
  await conntrack.flushPort("tcp", 8080);
  const end = performance.now();
  console.log(`${count} connections: address ${(middle - start).toFixed(2)} ms, port ${(end - middle).toFixed(2)} ms`);
  expect(gone).toBe(3);
});
