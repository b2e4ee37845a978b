import { expect, test } from "@jest/globals";
import { lines } from "../../test/attach/sample.ts";
import { type Mirrored, mirrorFacts, mirrorTarget } from "./mirror.ts";

test.each([
  ["link:up0", { kind: "link", name: "up0" }],
  ["vxlan:192.0.2.9:42", { kind: "vxlan", remote: "192.0.2.9", vni: 42 }],
  ["vxlan:[fd00::9]:42", { kind: "vxlan", remote: "fd00::9", vni: 42 }],
  ["gre:192.0.2.9", { kind: "gre", remote: "192.0.2.9" }],
  ["erspan:192.0.2.9:7", { kind: "erspan", remote: "192.0.2.9", session: 7 }],
])("%s", (text, target) => expect(mirrorTarget(text)).toEqual(target));

test.each([
  ["", "is not link:NAME, vxlan:ADDRESS:VNI"],
  ["up0", "is not link:NAME"],
  ["link:a/b", "is no name of a link"],
  ["link:..", "is no name of a link"],
  ["link:ääääääää", "is no name of a link"],
  ["vxlan:192.0.2.9", "with a number from 0 to 16777215"],
  ["vxlan:192.0.2.9:16777216", "with a number from 0 to 16777215"],
  ["erspan:192.0.2.9:1024", "with a number from 0 to 1023"],
  ["gre:fd00::9", "gre goes to IPv4 addresses"],
  ["gre:nowhere", "to: "],
])("%j is refused", (text, message) => expect(() => mirrorTarget(text)).toThrow(message));

const mirrored: Mirrored = {
  target: { kind: "link", name: "up0" },
  direction: "both",
  matches: [{ protocol: "all", words: [] }],
  link: "sv1",
  slot: 2,
  tunnel: "st1",
  alias: "selvedge mirror link:up0",
};

test("what the pod sends enters the host by its link, what it gets leaves by it", () => {
  const both = [
    "+ filter ingress dev sv1 mirror up0 slot 2 matches 1",
    "+ filter egress dev sv1 mirror up0 slot 2 matches 1",
  ];
  expect(lines(mirrorFacts(mirrored))).toEqual(both);
  expect(lines(mirrorFacts({ ...mirrored, direction: "out" }))).toEqual(both.slice(0, 1));
  expect(lines(mirrorFacts({ ...mirrored, direction: "in" }))).toEqual(both.slice(1));
});

test("a tunnel is made for the copies", () => {
  const out = (to: string) =>
    lines(mirrorFacts({ ...mirrored, direction: "out", target: mirrorTarget(to) })).slice(0, -1);
  expect(out("vxlan:192.0.2.9:42")).toEqual([
    "+ link st1 vxlan up id 42 no-ipv6-link-local",
    "+ fdb 00:00:00:00:00:00 dev st1 dst 192.0.2.9",
  ]);
  // Without an address of its own a device would be one of IPv4, and refuse this.
  const [six, to] = mirrorFacts({ ...mirrored, direction: "out", target: mirrorTarget("vxlan:[fd00::9]:42") });
  expect(six).toMatchObject({ kind: "vxlan", vxlan: { id: 42, port: 4789, local: "::" } });
  expect(to).toMatchObject({ type: "forward", to: "fd00::9" });
  expect(out("gre:192.0.2.9")).toEqual(["+ link st1 gretap up remote 192.0.2.9 mtu 65000 no-ipv6-link-local"]);
  expect(out("erspan:192.0.2.9:7")).toEqual(["+ link st1 erspan up remote 192.0.2.9 mtu 65000 no-ipv6-link-local"]);
});
