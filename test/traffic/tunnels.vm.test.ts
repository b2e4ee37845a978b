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
  { piece: "gre", to: "gre:198.51.100.9", number: 0 },
  { piece: "erspan", to: "erspan:198.51.100.9:77", number: 77 },
] as const;

for (const { piece, to, number } of cases)
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
      ip("netns exec mirrored ping -c 1 -W 3 203.0.113.1");
      const copies = () =>
        analyser.packets.flatMap(({ carries }) =>
          carries?.protocol === 1 ? [`${carries.number} ${carries.src} > ${carries.dst}`] : [],
        );
      await eventually("both copies come", async () => copies().length >= 2 || undefined);
      expect(copies()).toEqual([`${number} 203.0.113.9 > 203.0.113.1`, `${number} 203.0.113.1 > 203.0.113.9`]);
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
