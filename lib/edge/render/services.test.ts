import { expect, test } from "@jest/globals";
import { address } from "#lib/address.ts";
import { goldens, linesOf, piecesOf } from "../../../test/support/vyos/golden.ts";
import type { Version } from "../dialect.ts";
import { lineOf } from "../path.ts";
import { CHOSEN } from "./sample-view.ts";

goldens([
  [
    "virtual servers: addresses, and pods of the asked address's family; without pods there is none",
    {
      virtualServers: [
        {
          name: "dns",
          address: address("198.51.100.7"),
          port: 53,
          protocol: "udp",
          algorithm: "source-hashing",
          persistenceSeconds: 10,
          servers: [
            { address: address("10.66.0.5"), port: 1_053 },
            { address: address("10.66.0.6"), port: 1_053 },
          ],
        },
        {
          name: "web-6",
          address: address("2001:db8::7"),
          port: 443,
          protocol: "tcp",
          algorithm: "least-connection",
          pods: { ...CHOSEN, port: 8_443 },
        },
        {
          name: "none",
          address: address("198.51.100.7"),
          port: 80,
          protocol: "tcp",
          algorithm: "round-robin",
          pods: { labels: { app: "none" }, most: 2, port: 80 },
        },
      ],
    },
    [
      "high-availability virtual-server selvedge-dns address 198.51.100.7",
      "high-availability virtual-server selvedge-dns port 53",
      "high-availability virtual-server selvedge-dns protocol udp",
      "high-availability virtual-server selvedge-dns algorithm source-hashing",
      "high-availability virtual-server selvedge-dns persistence-timeout 10",
      "high-availability virtual-server selvedge-dns real-server 10.66.0.5 port 1053",
      "high-availability virtual-server selvedge-dns real-server 10.66.0.6 port 1053",
      "high-availability virtual-server selvedge-web-6 address 2001:db8::7",
      "high-availability virtual-server selvedge-web-6 port 443",
      "high-availability virtual-server selvedge-web-6 protocol tcp",
      "high-availability virtual-server selvedge-web-6 algorithm least-connection",
      "high-availability virtual-server selvedge-web-6 real-server fd66::5 port 8443",
    ],
  ],
]);

const BALANCER = {
  name: "web",
  address: address("198.51.100.8"),
  port: 80,
  servers: [{ address: address("10.66.0.5"), port: 8_080 }],
};
test.each<[Version, string]>([
  ["1.4", "reverse-proxy"],
  ["rolling", "haproxy"],
])("HAProxy's section of VyOS %s is %s", (version, section) => {
  expect(linesOf({ loadBalancers: [BALANCER] }, version)).toEqual(
    [
      "backend selvedge-web mode tcp",
      "backend selvedge-web balance least-connection",
      "backend selvedge-web server server-1 address 10.66.0.5",
      "backend selvedge-web server server-1 port 8080",
      "backend selvedge-web server server-1 check",
      "service selvedge-web mode tcp",
      "service selvedge-web port 80",
      "service selvedge-web listen-address 198.51.100.8",
      "service selvedge-web backend selvedge-web",
    ].map((line) => `load-balancing ${section} ${line}`),
  );
});

test("HAProxy before pods: they keep their names when others go; too many change nothing, none end it", () => {
  const balancer = (most: number, app: string) => {
    const pods = { namespace: "shop", labels: { app }, most, port: 8_080 };
    return { loadBalancers: [{ name: "web", port: 80, pods }] };
  };
  const top = "load-balancing haproxy";
  const found = piecesOf(balancer(4, "web"), "rolling");
  expect(found.flatMap(({ paths }) => paths.map(lineOf)).filter((line) => / address /.test(line))).toEqual(
    [
      "pod-10-66-0-6 address 10.66.0.6",
      "pod-10-66-0-5 address 10.66.0.5",
      "pod-10-66-9-1 address 10.66.9.1",
      "pod-fd66--5 address fd66::5",
    ].map((line) => `${top} backend selvedge-web server ${line}`),
  );
  expect(piecesOf(balancer(3, "web"), "rolling")).toMatchObject([
    { paths: [], stays: "would have 4 entries, and may have 3: it stays as it is" },
    { needs: [["load-balancing", "haproxy", "backend", "selvedge-web"]] },
  ]);
  expect(piecesOf(balancer(4, "none"), "rolling").map(({ paths, followsPods }) => [paths, followsPods])).toEqual([
    [[], true],
    [[], true],
  ]);
});
