import { expect, test } from "@jest/globals";
import { address, mac } from "#lib/address.ts";
import { fc } from "../../test/support/property.ts";
import { bridgeMac, hostLinkName, ifbName, linkAlias, podMac, portMac, stationMac } from "./names.ts";

const key = { containerId: "c1", ifname: "eth0" };

/** Links and addresses of running pods must not change with a release. */
test("names follow from the key, for ever", () => {
  expect(hostLinkName(key)).toBe("svec43057c07a");
  expect(ifbName(key)).toBe("sbec43057c07a");
  expect(podMac(key)).toBe("02:88:26:64:a6:5f");
  expect(portMac(key)).toBe("06:44:e3:af:9f:ae");
  expect(bridgeMac("selvedge0")).toBe("0a:86:76:30:da:17");
  expect(linkAlias(key)).toBe("selvedge c1 eth0");
});

test("the border between id and interface counts", () =>
  expect(hostLinkName({ containerId: "c", ifname: "1eth0" })).not.toBe(
    hostLinkName({ containerId: "c1", ifname: "eth0" }),
  ));

test("an alias is cut at 255 bytes", () =>
  expect(linkAlias({ containerId: "c".repeat(300), ifname: "eth0" })).toBe(`selvedge ${"c".repeat(246)}`));

test("whatever the key, names fit and addresses are locally administered", () =>
  fc.assert(
    fc.property(
      fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,70}$/),
      fc.stringMatching(/^[a-z]{1,15}$/),
      (id, ifname) => {
        const any = { containerId: id, ifname };
        expect(hostLinkName(any)).toMatch(/^sv[0-9a-f]{11}$/);
        expect(ifbName(any)).toBe(hostLinkName(any).replace(/^sv/, "sb"));
        for (const made of [podMac(any), portMac(any), bridgeMac(ifname)]) {
          expect(mac(made)).toBe(made);
          expect(Number.parseInt(made.slice(0, 2), 16) & 2).toBe(2);
        }
      },
    ),
  ));

test("100,000 keys give as many names", () => {
  const names = new Set(
    Array.from({ length: 100_000 }, (_, i) => hostLinkName({ containerId: `c${i}`, ifname: "eth0" })),
  );
  expect(names.size).toBe(100_000);
});

test("the MAC of somebody on a stretched segment is that of its address there, and no other one's", () => {
  const [one, other] = [address("10.9.0.5"), address("10.9.0.6")];
  expect(stationMac("lan", one)).toBe(stationMac("lan", one));
  expect(new Set([stationMac("lan", one), stationMac("lan", other), stationMac("dmz", one)]).size).toBe(3);
  expect(stationMac("lan", one)).toMatch(/^0e:/);
});
