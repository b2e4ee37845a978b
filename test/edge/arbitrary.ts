/** Clusters and routers of every kind that the configuration lets be. */
import { type Address, address, networkOf, prefix } from "#lib/address.ts";
import { choiceText } from "#lib/edge/chosen.ts";
import type { BgpSpec, EdgeView, RouterSpec } from "#lib/edge/router.ts";
import { fc } from "../support/property.ts";

const byte = fc.integer({ min: 1, max: 254 });
const four = fc.tuple(byte, byte, byte).map(([b, c, d]) => address(`10.${b}.${c}.${d}`));
const six = fc.tuple(byte, byte).map(([g, h]) => address(`fd66::${g.toString(16)}:${h.toString(16)}`));
const any = fc.oneof(four, six);
const network4 = fc
  .tuple(four, fc.integer({ min: 8, max: 32 }))
  .map(([a, length]) => networkOf(prefix(`${a}/${length}`)));
const network6 = fc
  .tuple(six, fc.integer({ min: 48, max: 128 }))
  .map(([a, length]) => networkOf(prefix(`${a}/${length}`)));
const network = fc.oneof(network4, network6);
const port = fc.integer({ min: 1, max: 65_535 });
const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}$/);
const link = fc.constantFrom("eth0", "eth1", "bond0.12");
const few = <T>(of: fc.Arbitrary<T>) => fc.array(of, { maxLength: 3 });
const some = <T>(of: fc.Arbitrary<T>) => fc.array(of, { minLength: 1, maxLength: 3 });

const WEB = { labels: { app: "web" } };
export const clusters: fc.Arbitrary<EdgeView> = fc.record({
  pools: fc.uniqueArray(
    fc.record({ name: fc.constantFrom("a", "b", "c"), prefixes: some(network), isExposed: fc.boolean() }),
    { selector: ({ name }) => name, maxLength: 3 },
  ),
  nodes: fc.uniqueArray(
    fc.record({
      name: word,
      addresses: fc.uniqueArray(any, { maxLength: 3 }) as fc.Arbitrary<Address[]>,
      isAlive: fc.boolean(),
      destinations: few(fc.record({ pool: fc.constantFrom("a", "b", "c"), prefix: network })),
    }),
    { selector: ({ name }) => name, maxLength: 6 },
  ),
  egress: fc.uniqueArray(fc.record({ address: any, node: word }, { requiredKeys: ["address"] }), {
    selector: ({ address }) => address,
    maxLength: 3,
  }) as fc.Arbitrary<EdgeView["egress"]>,
  pods: fc
    .uniqueArray(any, { maxLength: 12 })
    .map(
      (addresses) => new Map(["shop", "*"].map((namespace) => [choiceText({ namespace, ...WEB, most: 1 }), addresses])),
    ),
});

/** Limits that some of the pods are beyond. */
const choice = fc.record({
  namespace: fc.constantFrom("shop", "*"),
  labels: fc.constant(WEB.labels),
  most: fc.integer({ min: 1, max: 6 }),
});

const answering = fc.tuple(choice, port).map(([pods, of]) => ({ ...pods, port: of }));
/** Of an interface. */
const host = fc.oneof(
  four.map((each) => prefix(`${each}/24`)),
  six.map((each) => prefix(`${each}/64`)),
);
const pair = fc.record({
  name: word,
  isPreferred: fc.boolean(),
  preempt: fc.boolean(),
  advertiseSeconds: fc.integer({ min: 1, max: 255 }),
  networks: fc.uniqueArray(
    fc.record({
      interface: link,
      vrid: fc.integer({ min: 1, max: 255 }),
      addresses: fc.uniqueArray(host, { minLength: 1, maxLength: 3 }),
    }),
    { selector: (each) => each.interface, minLength: 1 },
  ),
});
/** Where several tunnels lead to. */
const shared = fc.constantFrom(...["172.16.0.0/25", "172.17.0.0/25", "fd78::/64"].map((each) => prefix(each)));
const leg = fc.integer({ min: 0, max: 99 }).chain((n) => {
  const common = {
    name: fc.constant(`leg-${n}`),
    addresses: fc.uniqueArray(host, { maxLength: 2 }),
    vrf: fc.constantFrom("PODS", "BLUE"),
    mtu: fc.integer({ min: 1_280, max: 16_000 }),
  };
  const own = ["name", "interface", "addresses", "networks"] as const;
  const vxlan = (of: fc.Arbitrary<Address>) =>
    fc.record({
      vni: fc.integer({ min: 1, max: 16_777_214 }),
      port,
      local: of,
      remotes: fc.uniqueArray(of, { maxLength: 3 }),
    });
  const gre = (of: fc.Arbitrary<Address>) =>
    fc.record(
      { local: of, remote: of, key: fc.integer({ min: 0, max: 4_294_967_295 }) },
      { requiredKeys: ["local", "remote"] },
    );
  return fc.oneof(
    fc.record(
      {
        ...common,
        interface: fc.constant(`vxlan${n}`),
        networks: fc.constant([]),
        vxlan: fc.oneof(vxlan(four), vxlan(six)),
      },
      { requiredKeys: [...own, "vxlan"] },
    ),
    fc.record(
      {
        ...common,
        interface: fc.constant(`tun${n}`),
        networks: some(shared),
        gre: fc.oneof(gre(four), gre(six)),
      },
      { requiredKeys: [...own, "gre"] },
    ),
  );
});
const legs = fc.uniqueArray(leg, { selector: ({ name }) => name, maxLength: 3 });
const bfd = fc.constantFrom(true as const, "fast");
const vrf = fc.constant("PODS");
const asn = fc.integer({ min: 1, max: 4_294_967_294 });
const bgp = fc.record(
  {
    as: asn,
    nodesAs: fc.oneof(asn, fc.constantFrom("external" as const, "internal" as const)),
    addresses: fc.constant([]),
    listen: fc.uniqueArray(network, { maxLength: 3 }),
    password: fc.constant("s3cret"),
    bfd,
    multihop: fc.integer({ min: 2, max: 255 }),
    multipath: fc.integer({ min: 1, max: 256 }),
    maximumPrefixes: fc.integer({ min: 1, max: 4_294_967_295 }),
    communities: fc.uniqueArray(fc.constantFrom("65000:1", "0:0", "65535:65535"), { maxLength: 3 }),
    localPreference: fc.integer({ min: 0, max: 4_294_967_295 }),
    defaultRoute: fc.boolean(),
    vrf,
  },
  { requiredKeys: ["as", "nodesAs", "addresses", "listen", "multipath", "communities", "defaultRoute"] },
) as fc.Arbitrary<BgpSpec>;
const pools = fc.subarray(["a", "b", "c"]);
const optional = { requiredKeys: [] };
const key = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString("base64"));
/** Not the cluster's: what a site has of them, the configuration refuses. */
const elsewhere = fc.oneof(
  fc.tuple(byte, fc.integer({ min: 16, max: 24 })).map(([b, n]) => networkOf(prefix(`172.${b}.0.0/${n}`))),
  byte.map((n) => prefix(`fd77:${n.toString(16)}::/32`)),
  shared,
);
const site = fc.integer({ min: 0, max: 99 }).chain((n) => {
  const common = {
    name: fc.constant(`site-${n}`),
    addresses: fc.constant([prefix("10.255.0.1/30")]),
    networks: some(elsewhere),
    distance: byte,
    // One AS of a router: what another one is, the configuration refuses.
    bgp: fc.record(
      {
        as: fc.constant(65_000),
        remoteAs: asn,
        neighbour: fc.constant(address(`10.255.${n}.2`)),
        bfd: fc.boolean(),
        localPreference: fc.integer({ min: 0, max: 4_294_967_295 }),
      },
      { requiredKeys: ["as", "remoteAs", "neighbour", "bfd"] },
    ),
  };
  const own = ["name", "interface", "addresses", "networks"] as const;
  return fc.oneof(
    fc.record(
      {
        ...common,
        interface: fc.constant(`wg${n}`),
        wireguard: fc.record(
          {
            privateKey: key,
            port,
            publicKey: key,
            presharedKey: key,
            endpoint: fc.record({ address: four, port }),
            keepaliveSeconds: port,
          },
          { requiredKeys: ["privateKey", "port", "publicKey"] },
        ),
      },
      { requiredKeys: [...own, "wireguard"] },
    ),
    fc.record(
      {
        ...common,
        interface: fc.constant(`vti${n}`),
        ipsec: fc.record({ local: four, remote: four, secret: fc.constant("s3cret") }),
      },
      { requiredKeys: [...own, "ipsec"] },
    ),
  );
});
const sites = fc.uniqueArray(site, { selector: ({ name }) => name, maxLength: 3 });
const end = fc.oneof(
  fc.record({ group: fc.constantFrom("pods", "nodes") }),
  network.map((of) => ({ prefix: of })),
);
const firewall = fc.record(
  {
    chain: fc.constantFrom("SELVEDGE", "pods.in"),
    jumpRule: fc.integer({ min: 1, max: 999_999 }),
    otherwise: fc.constantFrom("return" as const, "accept" as const, "drop" as const, "reject" as const),
    rules: few(
      fc.record(
        {
          name: word,
          action: fc.constantFrom("return" as const, "accept" as const, "drop" as const, "reject" as const),
          from: end,
          to: end,
          protocol: fc.constantFrom("tcp" as const, "udp" as const),
          ports: few(port),
          log: fc.boolean(),
        },
        { requiredKeys: ["name", "action", "protocol", "ports", "log"] },
      ),
    ),
  },
  { requiredKeys: ["chain", "otherwise", "rules"] },
);
const ofOneFamily = <T>(make: (of: fc.Arbitrary<Address>) => fc.Arbitrary<T>) => fc.oneof(make(four), make(six));
const target = fc.record({ address: four, port });
export const routers = fc
  .record({
    pools,
    way: fc.oneof(
      fc.record(
        {
          static: fc.record(
            { routes: fc.constantFrom("pools" as const, "blocks" as const), distance: byte, bfd, vrf },
            { requiredKeys: ["routes"] },
          ),
        },
        optional,
      ),
      fc.record({ bgp }, optional),
    ),
    nat: fc.record({
      firstRule: fc.integer({ min: 1, max: 990_000 }),
      masquerade: few(fc.record({ interface: link, pools }, { requiredKeys: ["interface"] })),
      egress: few(
        fc.oneof(
          fc.record({ source: network4, address: four, interface: link }),
          fc.record({ source: network6, address: six, interface: link }),
        ),
      ),
      oneToOne: few(ofOneFamily((of) => fc.record({ outside: of, inside: of, interface: link }))),
      publish: few(
        ofOneFamily((of) =>
          fc.record(
            {
              name: word,
              interface: link,
              address: of,
              protocol: fc.constantFrom("tcp" as const, "udp" as const),
              port,
              to: fc.record({ address: of, port }),
            },
            { requiredKeys: ["name", "interface", "protocol", "port", "to"] },
          ),
        ),
      ),
    }),
    groups: fc.uniqueArray(
      fc.record(
        {
          name: fc.constantFrom("pods", "nodes", "x"),
          of: fc.constantFrom("pools" as const, "nodes" as const),
          pools,
          pods: choice,
        },
        { requiredKeys: ["name", "of"] },
      ),
      { selector: ({ name }) => name, maxLength: 3 },
    ),
    firewall: fc.option(firewall, { nil: undefined }),
    loadBalancers: fc.uniqueArray(
      fc.oneof(
        fc.record(
          { name: word, address: any, port, servers: some(target) },
          { requiredKeys: ["name", "port", "servers"] },
        ),
        fc.record({ name: word, address: any, port, pods: answering }, { requiredKeys: ["name", "port", "pods"] }),
      ),
      { selector: ({ name }) => name, maxLength: 3 },
    ),
    virtualServers: fc.uniqueArray(
      fc.record(
        {
          name: word,
          address: any,
          port,
          protocol: fc.constantFrom("tcp" as const, "udp" as const),
          algorithm: fc.constantFrom("round-robin" as const, "least-connection" as const, "source-hashing" as const),
          persistenceSeconds: fc.integer({ min: 1, max: 86_400 }),
          pods: answering,
        },
        { requiredKeys: ["name", "address", "port", "protocol", "algorithm", "pods"] },
      ),
      { selector: ({ name }) => name, maxLength: 3 },
    ),
    vrfs: fc.uniqueArray(
      fc.record({ name: fc.constantFrom("PODS", "BLUE"), table: fc.integer({ min: 100, max: 65_535 }) }),
      {
        selector: (each) => each.name,
      },
    ),
    shapers: fc.uniqueArray(
      fc.record({
        interface: link,
        rate: fc.integer({ min: 1_000, max: 1_000_000_000_000 }),
        classes: few(
          fc.record(
            {
              dscp: fc.integer({ min: 0, max: 63 }),
              percent: fc.integer({ min: 1, max: 33 }),
              priority: fc.integer({ min: 0, max: 20 }),
            },
            { requiredKeys: ["dscp", "percent"] },
          ),
        ),
      }),
      { selector: (each) => each.interface },
    ),
    sites,
    legs,
    pair: fc.option(pair, { nil: undefined }),
    zones: fc.uniqueArray(
      fc.record({
        domain: fc.constantFrom("cluster.local", "x"),
        servers: fc.uniqueArray(any, { minLength: 1, maxLength: 3 }),
      }),
      {
        selector: ({ domain }) => domain,
      },
    ),
  })
  .map(
    ({ way, zones, firewall: chain, pair: one, ...rest }) =>
      ({
        name: "edge1",
        ...rest,
        ...way,
        ...(chain === undefined ? {} : { firewall: chain }),
        ...(one === undefined ? {} : { pair: one }),
        forwarding: { zones },
      }) as RouterSpec,
  );
