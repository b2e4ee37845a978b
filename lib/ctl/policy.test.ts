import { expect, test } from "@jest/globals";
import { Admin, type Method, PolicyAnswer, PolicyFlow, PolicyList, VerdictList } from "#proto/selvedge_pb.ts";
import type { Ask } from "./command.ts";
import { run } from "./run.ts";

const ANSWER = PolicyAnswer.of({
  verdict: "deny",
  sides: [
    {
      direction: "egress",
      pod: "shop/web",
      verdict: "accept",
      policy: "",
      rule: "",
      because: "no policy speaks of it",
    },
    {
      direction: "ingress",
      pod: "shop/db",
      verdict: "deny",
      policy: "NetworkPolicy shop/db",
      rule: "",
      because: "NetworkPolicy shop/db accepts only other ingress traffic",
    },
  ],
  notes: ["shop/db net1 is not held to policies: the packets of macvlan do not pass the node's routing"],
});
const REPLIES = new Map<unknown, object>([
  [Admin.tracePolicy, ANSWER],
  [
    Admin.listVerdicts,
    VerdictList.of({
      flows: [
        PolicyFlow.of({
          from: "shop/web",
          to: "192.0.2.7",
          protocol: "udp",
          port: 53,
          verdict: "deny",
          packets: 3,
          because: "NetworkPolicy shop/web accepts only other egress traffic",
        }),
      ],
    }),
  ],
  [
    Admin.listPolicies,
    PolicyList.of({
      policies: [
        { name: "ClusterNetworkPolicy lockdown", tier: "admin", priority: 10, rules: 2, pods: ["shop/db", "shop/web"] },
        { name: "NetworkPolicy shop/db", tier: "network", priority: 0, rules: 1, pods: ["shop/db"] },
      ],
      elements: 12,
    }),
  ],
]);

async function ctl(words: string, replies: ReadonlyMap<unknown, object> = REPLIES) {
  const asked: [path: string, request: object][] = [];
  const ask = (async (method: Method<object, object>, request: object) => {
    asked.push([method.path.replace("/selvedge.v1.Admin/", ""), request]);
    return replies.get(method) ?? method.reply.of();
  }) as unknown as Ask;
  const outcome = await run(words.split(" "), {
    version: "0.1.0",
    socket: "/s",
    colours: false,
    widthColumns: undefined,
    connect: () => ask,
  });
  return { ...outcome, asked };
}

test("selvedgectl policy trace tells what each end's policies say, and ends with 5 where they deny", async () =>
  expect(await ctl("policy trace shop/web shop/db 5432")).toEqual({
    out: `deny
  egress of shop/web: accept: no policy speaks of it
  ingress of shop/db: deny: NetworkPolicy shop/db accepts only other ingress traffic
shop/db net1 is not held to policies: the packets of macvlan do not pass the node's routing
`,
    err: "",
    exit: 5,
    asked: [["TracePolicy", { from: "shop/web", to: "shop/db", protocol: "tcp", port: 5432 }]],
  }));

test.each([
  ["udp/53", { protocol: "udp", port: 53 }],
  ["sctp/38412", { protocol: "sctp", port: 38_412 }],
])("a port may be %s", async (text, packet) => {
  const { asked } = await ctl(`policy trace a/b 192.0.2.7 ${text}`);
  expect(asked).toEqual([["TracePolicy", { from: "a/b", to: "192.0.2.7", ...packet }]]);
});

test("selvedgectl policy verdicts", async () =>
  expect(await ctl("policy verdicts --denied")).toEqual({
    out: `FROM      TO         PORT    VERDICT  PACKETS  BECAUSE NOW
shop/web  192.0.2.7  udp/53  deny           3  NetworkPolicy shop/web accepts only other egress traffic
`,
    err: "",
    exit: 0,
    asked: [["ListVerdicts", { verdict: "deny" }]],
  }));

test("selvedgectl policy list", async () =>
  expect(await ctl("policy list")).toMatchObject({
    out: `POLICY                         TIER     PRIORITY  RULES  PODS HERE
ClusterNetworkPolicy lockdown  admin          10      2  shop/db shop/web
NetworkPolicy shop/db          network         -      1  shop/db
12 elements in the kernel
`,
    exit: 0,
  }));

test("what cannot be read is shown, and policy list ends with 5", async () => {
  const replies = new Map([
    [
      Admin.listPolicies as unknown,
      PolicyList.of({ mistakes: [{ object: "web.yaml#0", message: "kind: 7 is not a string" }] }),
    ],
  ]);
  expect(await ctl("policy list", replies)).toMatchObject({
    out: "web.yaml#0: kind: 7 is not a string\nno policies\n0 elements in the kernel\n",
    exit: 5,
  });
});

test.each([
  ["policy", '"policy" needs an argument'],
  ["policy trace shop/web", "needs two ends"],
  ["policy trace a/b c/d 0", '"0" is not a port such as 80 or udp/53'],
  ["policy trace a/b c/d icmp/3", "is not a port"],
  ["policy list all", "takes nothing more"],
  ["policy list --denied", "--denied is for"],
  ["policy show", "show"],
])("%s is refused", async (words, message) => {
  const { err, exit, asked } = await ctl(words);
  expect(exit).toBe(2);
  expect(err).toContain(message);
  expect(asked).toEqual([]);
});
