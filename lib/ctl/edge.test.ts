import { expect, test } from "@jest/globals";
import { SelvedgeError } from "#lib/errors.ts";
import {
  Admin,
  BgpSession,
  Finding,
  type Method,
  Push,
  PushList,
  RolledBack,
  Router,
  RouterFindings,
  RouterList,
  RouterPlan,
} from "#proto/selvedge_pb.ts";
import type { Ask } from "./command.ts";
import { run } from "./run.ts";

const ROUTER = Router.of({
  name: "edge1",
  url: "https://192.0.2.1",
  phase: "conflict",
  role: "master",
  message: "protocols bgp system-as has protocols bgp system-as 64999",
  version: "1.4.0",
  writer: "alpha",
  inSync: "2026-01-02T03:04:05.000Z",
  owned: 12,
  revision: 7,
  conflicts: ["protocols bgp system-as has protocols bgp system-as 64999"],
  sessions: [
    BgpSession.of({ address: "192.0.2.1", state: "Established", upMs: 12_000, sent: 4, received: 1 }),
    BgpSession.of({ address: "2001:db8::1", state: "Active" }),
  ],
});
const PLAN = RouterPlan.of({
  commands: [
    "delete protocols static route 10.66.1.0/26",
    "set protocols static route 10.66.0.0/16 next-hop 192.0.2.11",
  ],
  conflicts: ROUTER.conflicts,
  intruders: ["protocols static route 10.66.0.0/16 description mine"],
});
const PUSHES = PushList.of({
  pushes: [
    Push.of({
      revision: 7,
      at: "2026-01-02T03:04:05.000Z",
      tookMs: 1_200,
      by: "alpha",
      why: "the cluster has changed",
      result: "failed",
      message: "router edge1: [[policy]] failed",
      lines: ["- protocols static route 10.66.1.0/26 next-hop 192.0.2.12"],
    }),
  ],
});
/** A router that nothing can be asked of. */
const AWAY = "edge0";
const REPLIES = new Map<unknown, object>([
  [Admin.listRouters, RouterList.of({ routers: [ROUTER] })],
  [Admin.planRouter, PLAN],
  [Admin.applyRouter, Router.of({ ...ROUTER, phase: "failing" })],
  [Admin.listPushes, PUSHES],
  [
    Admin.rollBackRouter,
    RolledBack.of({ router: ROUTER, lost: ["protocols bgp peer-group SELVEDGE password '(secret 3040f9a92dbf)'"] }),
  ],
  [Admin.pauseRouter, Router.of({ ...ROUTER, phase: "paused", message: "by alpha: work", conflicts: [] })],
  [
    Admin.examineRouter,
    RouterFindings.of({
      findings: [
        Finding.of({ check: "connection", level: "ok", message: "https://192.0.2.1 is VyOS 1.4.0" }),
        Finding.of({
          check: "overlap",
          level: "problem",
          message: "10.66.0.1 is the router's own",
          remedy: "Use others.",
        }),
      ],
    }),
  ],
]);

async function ctl(words: string, replies: ReadonlyMap<unknown, object> = REPLIES) {
  const asked: [string, object][] = [];
  const ask = (async (method: Method<object, object>, request: object) => {
    asked.push([method.path.replace("/selvedge.v1.Admin/", ""), request]);
    const { name } = request as { name?: string };
    if (name === AWAY) throw new SelvedgeError({ kind: "router", router: AWAY, why: "unreachable" }, `${AWAY} is away`);
    return replies.get(method);
  }) as Ask;
  const options = { version: "0.1.0", socket: "/s", colours: false, widthColumns: 200, connect: () => ask };
  return { ...(await run(words.split(" "), options)), asked };
}

const GOLDEN: readonly [words: string, out: string, exit: number][] = [
  [
    "edge status",
    `ROUTER  FROM  PHASE             VYOS   WRITER  PATHS  REVISION  IN SYNC                   MESSAGE
edge1   file  conflict, master  1.4.0  alpha      12         7  2026-01-02T03:04:05.000Z  protocols bgp system-as has protocols bgp system-as 64999
BGP with edge1 at 192.0.2.1: Established, 4 prefixes told, 1 heard
BGP with edge1 at 2001:db8::1: Active
conflict: protocols bgp system-as has protocols bgp system-as 64999
`,
    0,
  ],
  [
    "edge diff",
    `edge1
- protocols static route 10.66.1.0/26
+ protocols static route 10.66.0.0/16 next-hop 192.0.2.11
! protocols bgp system-as has protocols bgp system-as 64999
? protocols static route 10.66.0.0/16 description mine is somebody else's
`,
    0,
  ],
  [
    "edge plan edge1",
    `# edge1
delete protocols static route 10.66.1.0/26
set protocols static route 10.66.0.0/16 next-hop 192.0.2.11
`,
    0,
  ],
  [
    "edge history edge1",
    `revision 7, 2026-01-02T03:04:05.000Z, by alpha, the cluster has changed: failed after 1200 ms, 1 path
router edge1: [[policy]] failed
- protocols static route 10.66.1.0/26 next-hop 192.0.2.12
`,
    0,
  ],
  [
    "edge doctor",
    `edge1
ok       connection: https://192.0.2.1 is VyOS 1.4.0
problem  overlap: 10.66.0.1 is the router's own
         Use others.
`,
    5,
  ],
];
test.each(GOLDEN)("%s", async (words, out, exit) => {
  const outcome = await ctl(words);
  expect(outcome.out).toBe(out);
  expect(outcome.exit).toBe(exit);
});
test("the table has cases", () => expect(GOLDEN.length).toBeGreaterThan(0));

test.each<[words: string, asked: [string, object][]]>([
  ["edge apply edge1", [["ApplyRouter", { name: "edge1" }]]],
  ["edge rollback edge1 4", [["RollBackRouter", { name: "edge1", revision: 4 }]]],
  [
    "edge rollback --all",
    [
      ["ListRouters", {}],
      ["RollBackRouter", { name: "edge1", revision: 0 }],
    ],
  ],
  ["edge pause edge1 --why work", [["PauseRouter", { name: "edge1", why: "work" }]]],
  ["edge resume edge1", [["PauseRouter", { name: "edge1", resume: true }]]],
])("%s asks the daemon", async (words, asked) => expect((await ctl(words)).asked).toEqual(asked));

const BOTH = new Map([
  ...REPLIES,
  [Admin.listRouters, RouterList.of({ routers: [{ ...ROUTER, name: AWAY }, ROUTER] })],
]);

test.each<[words: string, method: string, exit: number]>([
  ["edge rollback --all", "RollBackRouter", 1],
  ["edge diff", "PlanRouter", 1],
  ["edge plan", "PlanRouter", 1],
  ["edge doctor", "ExamineRouter", 5],
])("%s goes on where one of the routers fails, and says so", async (words, method, exit) => {
  const outcome = await ctl(words, BOTH);
  expect(outcome.asked.filter(([each]) => each === method).map(([, request]) => request)).toMatchObject([
    { name: AWAY },
    { name: "edge1" },
  ]);
  expect(outcome.out.trimEnd().split("\n").at(-1)).toBe("edge0: edge0 is away");
  expect(outcome.exit).toBe(exit);
  expect(JSON.parse((await ctl(`${words} --json`, BOTH)).out)).toMatchObject({
    routers: [{}],
    failed: [{ name: "edge0", message: "edge0 is away" }],
  });
});

test("of a router that is named its own failure is told", async () =>
  expect(await ctl("edge diff edge0")).toMatchObject({ out: "", err: "selvedgectl: edge0 is away\n", exit: 1 }));

test.each([
  ["in-sync", 0],
  ["conflict", 0],
  ["failing", 1],
  ["paused", 1],
  ["standby", 1],
  ["dry-run", 1],
])("edge apply where the router is %s afterwards ends with %d", async (phase, exit) =>
  expect(
    await ctl("edge apply edge1", new Map([...REPLIES, [Admin.applyRouter, Router.of({ ...ROUTER, phase })]])),
  ).toMatchObject({ exit }),
);

test("a secret of then is not set again", async () => {
  expect((await ctl("edge rollback edge1 4")).out).toContain(
    "not set again, a secret: protocols bgp peer-group SELVEDGE password",
  );
});

test.each([
  "edge",
  "edge apply",
  "edge rollback edge1",
  "edge rollback edge1 -1",
  "edge rollback edge1 4 --all",
  "edge status --all",
  "edge plan edge1 3",
  "edge resume edge1 --why x",
])("%s is refused", async (words) => expect((await ctl(words)).exit).toBe(2));
