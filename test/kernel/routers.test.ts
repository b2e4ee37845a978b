/** Routers as namespaces of the machine: how they come, stay and go. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect } from "@jest/globals";
import { linux } from "#lib/kernel/linux.ts";
import { linuxRouters } from "#lib/kernel/linux-routers.ts";
import type { Fact } from "#lib/state/fact.ts";
import { needing } from "../support/requirement.ts";

const test = needing("root", { program: "ip" }, { program: "nsenter" });

const inNamespace = (path: string, ...command: string[]): string =>
  execFileSync("nsenter", [`--net=${path}`, ...command], { encoding: "utf8" });
const made: string[] = [];
afterAll(() => made.forEach((directory) => void rmSync(directory, { recursive: true, force: true })));
const place = (): string => {
  const directory = mkdtempSync(join(tmpdir(), "routers-"));
  made.push(directory);
  return join(directory, "tenants");
};
const up: Fact[] = [{ type: "link", at: "host", name: "br0", kind: "bridge", up: true, alias: "selvedge bridge br0" }];

test("it is made, holds what was made in it beyond the daemon's end, and is gone when it is removed", async () => {
  const directory = place();
  const own = statSync("/proc/self/ns/net").ino;
  expect(linuxRouters(directory).names()).toEqual([]);
  const first = linuxRouters(directory).open("blue");
  await first.kernel.apply(
    {},
    up.map((fact) => ({ do: "add", fact })),
  );
  expect(first.netnsInode).not.toBe(own);
  expect(statSync("/proc/thread-self/ns/net").ino).toBe(own);
  await first[Symbol.asyncDispose]();

  const routers = linuxRouters(directory);
  expect(routers.names()).toEqual(["blue"]);
  const again = routers.open("blue");
  expect(again.netnsInode).toBe(first.netnsInode);
  expect(await again.kernel.look({}, up)).toMatchObject([{ name: "br0", up: true }]);
  await again[Symbol.asyncDispose]();
  routers.remove("blue");
  expect(routers.names()).toEqual([]);
  expect(existsSync(join(directory, "selvedge-blue"))).toBe(false);
  expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(directory);
  routers.remove("blue");
});

test("nothing of a router is seen on the node or in another router, and the same names do not meet", async () => {
  const routers = linuxRouters(place());
  await using node = linux();
  await using blue = routers.open("blue");
  await using green = routers.open("green");
  const add = up.map((fact) => ({ do: "add", fact }) as const);
  await blue.kernel.apply({}, add);
  await green.kernel.apply({}, add);
  await green.kernel.apply(
    {},
    up.map((fact) => ({ do: "remove", fact })),
  );
  await green.kernel.settled();
  expect([await node.look({}, up), await green.kernel.look({}, up)]).toEqual([[], []]);
  expect(await blue.kernel.look({}, up)).toHaveLength(1);
  for (const name of routers.names()) routers.remove(name);
});

test("one whose mount was taken away is the same one again; what a reboot leaves is made anew", async () => {
  const directory = place();
  const routers = linuxRouters(directory);
  const path = join(directory, "selvedge-blue");
  await using blue = routers.open("blue");
  await blue.kernel.apply(
    {},
    up.map((fact) => ({ do: "add", fact })),
  );
  expect(blue.show()).toBe(false);
  routers.remove("blue");
  expect(blue.show()).toBe(true);
  expect(blue.kernel.namespaceInode(path)).toBe(blue.netnsInode);
  expect(inNamespace(path, "ip", "-br", "link", "show", "br0")).toContain("br0");
  routers.remove("blue");

  writeFileSync(path, "");
  expect(routers.names()).toEqual([]);
  await using anew = routers.open("blue");
  expect(anew.netnsInode).not.toBe(blue.netnsInode);
  expect(await anew.kernel.look({}, up)).toEqual([]);
  routers.remove("blue");
});

test("the kernel of a namespace that is not there is refused", () => {
  expect(() => linux({ netns: "/run/netns/nobody" })).toThrow(
    "/run/netns/nobody: there is no such network namespace any more",
  );
});
