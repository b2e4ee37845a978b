/** Links without another end, as `ip` and `bridge` see them. */
import { execFileSync } from "node:child_process";
import { expect } from "@jest/globals";
import { address, type Mac, mac } from "#lib/address.ts";
import { isFailure } from "#lib/errors.ts";
import type { Kernel } from "#lib/kernel/kernel.ts";
import { linux } from "#lib/kernel/linux.ts";
import { diff } from "#lib/state/diff.ts";
import { EVERYONE_ELSE, type Fact } from "#lib/state/fact.ts";
import { line } from "#lib/state/line.ts";
import { allOwned } from "../support/owned.ts";
import { needing } from "../support/requirement.ts";
import { add, remove } from "./ops.ts";
import { ip, json } from "./records.ts";

const test = needing("root", { program: "ip" }, { program: "bridge" });

let made = 0;
interface At {
  readonly kernel: Kernel;
  readonly name: string;
  readonly netns: string;
}

/** With a kernel, a parent `up0` on the host that is not ours, and one new namespace; all are gone afterwards. */
async function withParent(work: (at: At) => Promise<void>): Promise<void> {
  const name = `single${++made}`;
  ip("netns", "add", name);
  ip("link", "add", "up0", "type", "veth", "peer", "name", "up1");
  ip("link", "set", "up0", "up");
  ip("link", "set", "up1", "up");
  const kernel = linux();
  try {
    await work({ kernel, name, netns: `/run/netns/${name}` });
  } finally {
    await kernel.settled();
    await kernel[Symbol.asyncDispose]();
    ip("netns", "del", name);
    ip("link", "del", "up0");
  }
}

const parent = { at: "host", name: "up0" } as const;
const macvlan = {
  type: "link",
  at: "pod",
  name: "eth0",
  kind: "macvlan",
  up: true,
  mtu: 1400,
  mac: mac("02:00:00:00:00:01"),
  parent,
  mode: "bridge",
} as const satisfies Fact;

test("a macvlan of a pod is what ip says, and the parent is not touched", () =>
  withParent(async ({ kernel, name, netns }) => {
    const before = json("ip", "-d", "link", "show", "up0");
    for (const _again of [1, 2]) await kernel.apply({ netns }, add([macvlan]));
    expect(diff([macvlan], await kernel.look({ netns }, [macvlan])).map(line)).toEqual([]);
    expect(json("ip", "-n", name, "-d", "link", "show", "eth0")[0]).toMatchObject({
      address: "02:00:00:00:00:01",
      mtu: 1400,
      operstate: "UP",
      group: "24095",
      linkinfo: { info_kind: "macvlan", info_data: { mode: "bridge" } },
    });
    for (const _again of [1, 2]) await kernel.apply({ netns }, remove([macvlan]));
    expect(await kernel.look({ netns }, [macvlan])).toEqual([]);
    expect(() => ip("-n", name, "link", "show", "eth0")).toThrow();
    expect(json("ip", "-d", "link", "show", "up0")).toEqual(before);
  }));

test("another mode is changed, another parent is another link", () =>
  withParent(async ({ kernel, name, netns }) => {
    await kernel.apply({ netns }, add([macvlan]));
    const index = json("ip", "-n", name, "link", "show", "eth0")[0].ifindex;
    const vepa = { ...macvlan, mode: "vepa" } as const;
    const ops = diff([vepa], await kernel.look({ netns }, [vepa]));
    expect(ops.map(line)).toEqual(["~ link eth0 [pod] macvlan up parent up0 mode vepa mtu 1400 mac 02:00:00:00:00:01"]);
    await kernel.apply({ netns }, ops);
    expect(json("ip", "-n", name, "-d", "link", "show", "eth0")[0]).toMatchObject({
      ifindex: index,
      linkinfo: { info_data: { mode: "vepa" } },
    });
    const moved = { ...macvlan, parent: { at: "host", name: "up1" } } as const;
    const other = diff([moved], await kernel.look({ netns }, [moved]));
    expect(other.map(line)).toEqual([
      "+ link eth0 [pod] macvlan up parent up1 mode bridge mtu 1400 mac 02:00:00:00:00:01",
    ]);
    await kernel.apply({ netns }, other);
    expect(diff([moved], await kernel.look({ netns }, [moved])).map(line)).toEqual([]);
    expect(json("ip", "-n", name, "link", "show", "eth0")[0].link_index).toBe(
      json("ip", "link", "show", "up1")[0].ifindex,
    );
  }));

test("a tap, with those who may open it", () =>
  withParent(async ({ kernel, name, netns }) => {
    const tap: Fact = {
      type: "link",
      at: "pod",
      name: "tap0",
      kind: "tap",
      up: true,
      mtu: 1400,
      mac: mac("02:00:00:00:00:02"),
      tap: { owner: 107, group: 108, multiQueue: true },
    };
    for (const _again of [1, 2]) await kernel.apply({ netns }, add([tap]));
    expect(diff([tap], await kernel.look({ netns }, [tap])).map(line)).toEqual([]);
    expect(json("ip", "-n", name, "-d", "link", "show", "tap0")[0]).toMatchObject({
      address: "02:00:00:00:00:02",
      mtu: 1400,
      flags: expect.arrayContaining(["UP"]),
      linkinfo: {
        info_kind: "tun",
        info_data: { type: "tap", pi: false, vnet_hdr: true, multi_queue: true, persist: true },
      },
    });
    expect(ip("-n", name, "tuntap", "show")).toContain("user 107 group 108");
    expect(json("ip", "link").map(({ ifname }) => ifname)).not.toContain("tap0");
    await kernel.apply({ netns }, remove([tap]));
    expect(() => ip("-n", name, "link", "show", "tap0")).toThrow();
  }));

test("a VXLAN device and where its frames go", () =>
  withParent(async ({ kernel }) => {
    const forward = (of: Mac, to: string): Fact => ({
      type: "forward",
      at: "host",
      link: "sx7",
      mac: of,
      to: address(to),
    });
    const want: Fact[] = [
      {
        type: "link",
        at: "host",
        name: "sx7",
        kind: "vxlan",
        up: true,
        alias: "selvedge sx7",
        vxlan: { id: 7, port: 4789, local: address("192.0.2.1") },
      },
      forward(EVERYONE_ELSE, "192.0.2.2"),
      forward(EVERYONE_ELSE, "192.0.2.3"),
      forward(mac("02:00:00:00:00:09"), "192.0.2.3"),
    ];
    for (const _again of [1, 2]) await kernel.apply({}, add(want));
    expect(diff(want, await kernel.look({}, want)).map(line)).toEqual([]);
    expect(json("ip", "-d", "link", "show", "sx7")[0].linkinfo).toMatchObject({
      info_kind: "vxlan",
      info_data: { id: 7, port: 4789, local: "192.0.2.1", learning: false },
    });
    const entries = json("bridge", "fdb", "show", "dev", "sx7");
    expect(entries.filter((entry) => entry.mac === "00:00:00:00:00:00").map((entry) => entry.dst)).toEqual([
      "192.0.2.2",
      "192.0.2.3",
    ]);
    expect(entries).toContainEqual(
      expect.objectContaining({ mac: "02:00:00:00:00:09", dst: "192.0.2.3", state: "permanent", flags: ["self"] }),
    );
    const owned = await allOwned(kernel);
    expect(diff(want, owned).map(line)).toEqual([]);
    execFileSync("bridge", ["fdb", "del", "00:00:00:00:00:00", "dev", "sx7", "dst", "192.0.2.3"]);
    const ops = diff(want, await kernel.look({}, want));
    expect(ops.map(line)).toEqual(["+ fdb 00:00:00:00:00:00 dev sx7 dst 192.0.2.3"]);
    await kernel.apply({}, ops);
    const another = { ...want[0], name: "sx8", alias: "selvedge sx8" } as Fact;
    const error = await kernel.apply({}, add([another])).catch((thrown: unknown) => thrown);
    expect(isFailure(error, "conflict") && error.message).toBe(
      "VXLAN 7 on UDP port 4789 is taken: another link has it",
    );
    await kernel.apply({}, remove(want.slice(1)));
    expect(json("bridge", "fdb", "show", "dev", "sx7")).toEqual([]);
    await kernel.apply({}, remove(want));
  }));

test("a stranger's link of the same kind under our name is refused, and stays", () =>
  withParent(async ({ kernel, name, netns }) => {
    ip("link", "add", "link", "up0", "name", "theirs0", "type", "macvlan", "mode", "bridge");
    ip("link", "set", "theirs0", "netns", name, "name", "eth0");
    const error = await kernel.apply({ netns }, add([macvlan])).catch((thrown: unknown) => thrown);
    expect(isFailure(error, "interface-exists") && error.failure.name).toBe("eth0");
    await kernel.apply({ netns }, remove([macvlan]));
    expect(json("ip", "-n", name, "link", "show", "eth0")).toHaveLength(1);
  }));

test("a parent that is not there, and one that is a port of a bridge, are named", () =>
  withParent(async ({ kernel, netns }) => {
    const nowhere = { ...macvlan, parent: { at: "host", name: "up9" } } as const;
    await expect(kernel.apply({ netns }, add([nowhere]))).rejects.toThrow("its parent up9 does not exist");
    ip("link", "add", "br9", "type", "bridge");
    ip("link", "set", "up0", "master", "br9");
    await expect(kernel.apply({ netns }, add([macvlan]))).rejects.toThrow("up0 cannot carry a link of kind macvlan");
    ip("link", "del", "br9");
  }));
