/** Mirrors into tunnels that this machine's kernel may lack: each copy at the analyser, out of its tunnel. */
import { execFileSync } from "node:child_process";
import { expect } from "@jest/globals";
import { mirrorFacts, mirrorTarget } from "#lib/datapath/mirror.ts";
import { packetFilter } from "#lib/datapath/packet-filter.ts";
import { linux } from "#lib/kernel/linux.ts";
import { diff, type Op } from "#lib/state/diff.ts";
import type { Fact } from "#lib/state/fact.ts";
import { line } from "#lib/state/line.ts";
import { eventually } from "../../conformance/program.ts";
import { needing } from "../support/requirement.ts";
import { wire } from "./wire.ts";

const ROOTED = ["root", { program: "ip" }, { program: "ping" }, { file: "/usr/bin/python3" }] as const;
const ip = (words: string): string => execFileSync("ip", words.split(" "), { encoding: "utf8", stdio: "pipe" });

const cases = [
  { piece: "gre", to: "gre:198.51.100.9", number: 0, headBytes: 4 },
  // RFC 2890 with a sequence number; type II has a header of its own behind it (draft-foschiano-erspan-03, section 4.2).
  { piece: "erspan", to: "erspan:198.51.100.9:77", number: 77, headBytes: 8 + 8 },
] as const;

const SMALL_BYTES = 84;
/** As large as the wire takes: with the headers of the tunnel it is more. */
const FULL_BYTES = 1_500;
const IP_AND_ICMP_BYTES = 28;
const IP_BYTES = 20;
const FRAME_BYTES = 14;
/** linux/in.h */
const [ICMP, GRE] = [1, 47];

needing(...ROOTED)("a copy that VXLAN makes too large teaches nothing of the original's way", async () => {
  const up = (name: string, link: string, net: string) => {
    ip(`netns add ${name}`);
    ip(`link add ${link} type veth peer name ${link} netns ${name}`);
    ip(`addr add 2001:db8:${net}::1/64 dev ${link} nodad`);
    ip(`addr add 198.51.${net}.1/24 dev ${link}`);
    ip(`link set ${link} up`);
    ip(`-n ${name} addr add 2001:db8:${net}::9/64 dev ${link} nodad`);
    ip(`-n ${name} addr add 198.51.${net}.9/24 dev ${link}`);
    ip(`-n ${name} link set ${link} up`);
  };
  up("analyser6", "an6", "1");
  up("mirrored6", "po6", "2");
  await using kernel = linux();
  const facts = mirrorFacts({
    target: mirrorTarget("vxlan:198.51.1.9:42"),
    direction: "in",
    matches: packetFilter(""),
    link: "po6",
    slot: 0,
    tunnel: "st6",
    alias: "selvedge mirror",
  });
  try {
    for (const _again of [1, 2])
      await kernel.apply(
        {},
        facts.map((fact): Op => ({ do: "add", fact })),
      );
    expect(diff(facts, await kernel.look({}, facts)).map(line)).toEqual([]);
    await using analyser = await wire("analyser6");
    const copied = () => analyser.packets.filter(({ carries }) => carries?.dst === "2001:db8:2::9").length;
    // Neighbour discovery is copied as well.
    execFileSync("ping", ["-6", "-c", "3", "-i", "0.2", "-W", "3", "-s", "1452", "2001:db8:2::9"]);
    await eventually("the copies come", async () => copied() >= 3 || undefined);
    expect(ip("-6 route get 2001:db8:2::9")).not.toContain(" mtu ");
  } finally {
    await kernel.apply(
      {},
      facts.map((fact): Op => ({ do: "remove", fact })),
    );
    await kernel.settled();
    for (const name of ["analyser6", "mirrored6"]) ip(`netns del ${name}`);
  }
  expect(ip("-br link show type vxlan")).not.toContain("st6");
});

for (const { piece, to, number, headBytes } of cases)
  needing(...ROOTED, { kernel: piece })(`${to}: copies in both directions, and nothing stays`, async () => {
    for (const [name, link, net] of [
      ["analyser", "an0", "198.51.100"],
      ["mirrored", "po0", "203.0.113"],
    ]) {
      ip(`netns add ${name}`);
      ip(`link add ${link} type veth peer name ${link} netns ${name}`);
      ip(`addr add ${net}.1/24 dev ${link}`);
      ip(`link set ${link} up`);
      ip(`-n ${name} addr add ${net}.9/24 dev ${link}`);
      ip(`-n ${name} link set ${link} up`);
    }
    await using kernel = linux();
    const facts: Fact[] = mirrorFacts({
      target: mirrorTarget(to),
      direction: "both",
      matches: packetFilter("icmp"),
      link: "po0",
      slot: 0,
      tunnel: "st0",
      alias: "selvedge mirror",
    });
    try {
      for (const _again of [1, 2])
        await kernel.apply(
          {},
          facts.map((fact): Op => ({ do: "add", fact })),
        );
      expect(diff(facts, await kernel.look({}, facts)).map(line)).toEqual([]);
      await using analyser = await wire("analyser");
      const full = `-c 1 -W 3 -M do -s ${FULL_BYTES - IP_AND_ICMP_BYTES}`;
      ip("netns exec mirrored ping -c 1 -W 3 203.0.113.1");
      ip(`netns exec mirrored ping ${full} 203.0.113.1`);
      execFileSync("ping", [...full.split(" "), "203.0.113.9"]);
      // Again: a copy that is too large must not have told the node so of the original's way.
      execFileSync("ping", [...full.split(" "), "203.0.113.9"]);
      const copies = () =>
        analyser.packets.flatMap(({ carries }) =>
          carries?.protocol === ICMP ? [`${carries.number} ${carries.src} > ${carries.dst}`] : [],
        );
      const out = `${number} 203.0.113.9 > 203.0.113.1`;
      const back = `${number} 203.0.113.1 > 203.0.113.9`;
      const all = [out, back, out, back, back, out, back, out];
      await eventually("all copies come", async () => copies().length >= all.length || undefined);
      expect(copies()).toEqual(all);
      const frames = [...Array(2).fill(SMALL_BYTES), ...Array(6).fill(FULL_BYTES)];
      const wanted = frames.reduce((sum, bytes) => sum + bytes + FRAME_BYTES + headBytes, 0);
      // Fragments after the first carry nothing that can be read.
      const carried = () =>
        analyser.packets
          .filter(({ protocol, carries }) => protocol === GRE && (carries?.protocol ?? ICMP) === ICMP)
          .reduce((sum, { bytes }) => sum + bytes - IP_BYTES, 0);
      await eventually("whole", async () => carried() >= wanted || undefined);
      expect(carried()).toBe(wanted);
    } finally {
      await kernel.apply(
        {},
        facts.map((fact): Op => ({ do: "remove", fact })),
      );
      await kernel.settled();
      for (const name of ["analyser", "mirrored"]) ip(`netns del ${name}`);
    }
    expect(ip(`-br link show type ${piece === "gre" ? "gretap" : "erspan"}`)).not.toContain("st0");
  });
