import { expect, test } from "@jest/globals";
import { root } from "#lib/parse.ts";
import { loopback } from "./loopback.ts";

const asked: [netns: string, raise: boolean][] = [];
const look = (up: boolean, ipv6: boolean) => (netns: string, raise: boolean) => {
  asked.push([netns, raise]);
  return { up: up || raise, ipv6 };
};
const call = { config: root({}), cniVersion: "0.3.1", netns: "/run/netns/a" } as const;

test("ADD raises the link and tells of it in the caller's version", () => {
  expect(JSON.parse(loopback("ADD", call, look(false, true)))).toEqual({
    cniVersion: "0.3.1",
    interfaces: [{ name: "lo", mac: "00:00:00:00:00:00", sandbox: "/run/netns/a" }],
    ips: [
      { version: "4", address: "127.0.0.1/8", interface: 0 },
      { version: "6", address: "::1/128", interface: 0 },
    ],
    dns: {},
  });
  expect(asked.at(-1)).toEqual(["/run/netns/a", true]);
});

test("without IPv6 there is no ::1", () =>
  expect(JSON.parse(loopback("ADD", call, look(false, false))).ips).toHaveLength(1));

test("a result that came before is passed on", () => {
  const prevResult = { cniVersion: "1.0.0", interfaces: [{ name: "eth0" }], ips: [{ address: "10.1.0.5/24" }] };
  const config = root({ prevResult });
  expect(JSON.parse(loopback("ADD", { ...call, cniVersion: "1.0.0", config }, look(false, true)))).toEqual(prevResult);
});

test("CHECK changes nothing and sees a link that is down", () => {
  expect(loopback("CHECK", call, look(true, true))).toBe("");
  expect(asked.at(-1)).toEqual(["/run/netns/a", false]);
  expect(() => loopback("CHECK", call, look(false, true))).toThrow("lo is down");
});

test.each(["DEL", "GC", "STATUS"] as const)("%s asks nothing", (verb) => {
  const before = asked.length;
  expect(loopback(verb, call, look(false, true))).toBe("");
  expect(asked).toHaveLength(before);
});
