import { expect, test } from "@jest/globals";
import { SelvedgeError } from "#lib/errors.ts";
import { Admin, Attachment, AttachmentList, ClusterState, NodeStatus } from "#proto/selvedge_pb.ts";
import { type Asked, ATTACHMENTS, ctl, ID, REPLIES } from "./canned-node.ts";
import { COMMANDS } from "./commands.ts";

const ASKED: [words: string, asked: Asked[]][] = [
  ["attachments --network media --pod web", [["ListAttachments", { network: "media", pod: "web" }]]],
  ["--network=media attachments", [["ListAttachments", { network: "media", pod: "" }]]],
  ["ipam leases --pool std", [["ListLeases", { pool: "std" }]]],
  [
    "ipam leaks --free",
    [
      ["FindLeaks", {}],
      ["FreeLeaks", { names: ["default/10.66.0.7", "default/10.66.0.8"] }],
    ],
  ],
  ["reservations --pool std", [["ListReservations", { pool: "std" }]]],
  [
    "reserve default/db-0 --address 10.1.0.5 --address fd00::5 --pool std",
    [["Reserve", { name: "default/db-0", pool: "std", addresses: ["10.1.0.5", "fd00::5"], mac: "" }]],
  ],
  ["reserve vm:db", [["Reserve", { name: "vm:db", pool: "", addresses: [], mac: "" }]]],
  ["release default/db-0", [["Release", { name: "default/db-0", pool: "" }]]],
  ["gc", [["CollectGarbage", { dryRun: false }]]],
  ["gc --dry-run", [["CollectGarbage", { dryRun: true }]]],
  ["help", []],
];
test.each(ASKED)("selvedgectl %s asks", async (words, asked) => expect((await ctl(words)).asked).toEqual(asked));

const TRACED: [wanted: string, ifname: string | undefined][] = [
  [ID, undefined],
  ["3f9a", undefined],
  ["3f9a/eth1", "eth1"],
  [`${ID}/eth0`, "eth0"],
  ["web-0", "eth0"],
  ["default/web-0", "eth0"],
  ["web", undefined],
  ["", undefined],
];
test.each(TRACED)("trace %j means the interface %s", async (wanted, ifname) => {
  const { asked, exit } = await ctl(`trace ${wanted}`);
  const key = asked.find(([path]) => path === "GetTrace")?.[1];
  expect(key).toEqual(ifname === undefined ? undefined : { containerId: ID, ifname });
  expect(exit === 0).toBe(ifname !== undefined);
});

test("an ambiguous attachment is told with what it could be", async () => {
  expect((await ctl("trace 3f9a")).err).toBe(
    'selvedgectl: "3f9a" is not one attachment: 3f9a0c1d2e4b/eth0, 3f9a0c1d2e4b/eth1\n' +
      "Give more of the container id, or CONTAINER/IFNAME.\n",
  );
});

const USAGE: [words: string, message: string][] = [
  ["staus", 'there is no command "staus"; did you mean "status"?'],
  ["frobnicate", 'there is no command "frobnicate"; `selvedgectl help` lists all'],
  ["help staus", 'there is no command "staus"; did you mean "status"?'],
  ["constructor", 'there is no command "constructor"; `selvedgectl help` lists all'],
  ["status --jsn", "there is no option --jsn; did you mean --json?"],
  ["status -x", "there is no option -x"],
  ["status --json=yes", "--json takes no value"],
  ["status --socket", "--socket needs a value: --socket PATH"],
  ["status --timeout 0", '--timeout: "0" is not a number of seconds from 0 to 3600'],
  ["status now", '"now" is one argument too many for "status"'],
  ["status --free", '"status" does not take --free; see `selvedgectl help status`'],
  ["mirror start web-0", "`selvedgectl mirror start` needs --to TARGET"],
  ["mirror start", "`selvedgectl mirror start` needs an attachment"],
  ["mirror stop", "`selvedgectl mirror stop` needs the name of a mirror"],
  ["mirror list x", "`selvedgectl mirror list` takes no argument"],
  ["path web-0 web-1 --family 5", '--family: "5" is not 4 or 6'],
  ["mirror start web-0 --to link:up0 --for ever", '--for: "ever" is not a time such as 90s, 10m or 2h'],
  ["trace", '"trace" needs an argument: ATTACHMENT'],
  ["ipam leeks", '"ipam" does not know "leeks"; did you mean "leaks"?'],
  ["ipam zzzzzz", '"ipam" does not know "zzzzzz"; did you mean one of pools, leases, cooldowns, leaks?'],
  ["ipam --free", "--free belongs to `selvedgectl ipam leaks`"],
  ["ipam leaks --pool x", "--pool belongs to `selvedgectl ipam leases` and `selvedgectl ipam cooldowns`"],
];
test.each(USAGE)("selvedgectl %s is refused", async (words, message) => {
  expect(await ctl(words)).toEqual({ out: "", err: `selvedgectl: ${message}\n`, exit: 2, asked: [] });
});

test("no command at all prints the help, as an error", async () => {
  const { out, err, exit } = await ctl("");
  expect({ out, exit }).toEqual({ out: "", exit: 2 });
  expect(err).toBe((await ctl("help")).out);
});

test("help tells every command, and each command's help its options", async () => {
  const { out } = await ctl("--help");
  expect(Object.keys(COMMANDS)).toHaveLength(25);
  for (const [name, { summary, options }] of Object.entries(COMMANDS)) {
    expect(out).toMatch(new RegExp(`^  ${name}\\b.*`, "m"));
    const help = (await ctl(`${name} --help`)).out;
    expect(help.startsWith(`${summary}\n\nUsage: selvedgectl ${name}`)).toBe(true);
    for (const option of Object.keys(options)) expect(help).toContain(`  --${option}`);
  }
  for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
});

test("an option's name means the same kind of value in every command", () => {
  const kinds = new Map<string, boolean>();
  for (const { options } of Object.values(COMMANDS))
    for (const [name, { value }] of Object.entries(options)) {
      expect(kinds.get(name) ?? value !== undefined).toBe(value !== undefined);
      kinds.set(name, value !== undefined);
    }
  expect(kinds.size).toBeGreaterThan(3);
});

const JSON_OF: [words: string, fields: string[]][] = [
  ["status", Object.keys(NodeStatus.of())],
  ["attachments", ["attachments"]],
  ["ipam", ["pools"]],
  ["ipam leases", ["leases"]],
  ["ipam cooldowns", ["leases"]],
  ["ipam leaks", ["leaks"]],
  ["ipam leaks --free", ["leaks"]],
  ["trace web-0", ["traceparent", "spans", "key"]],
  ["plan", ["lines"]],
  ["reconcile", ["lines"]],
  ["gc", ["attachments"]],
  ["doctor", ["findings", "types", "features"]],
  ["doctor mtu", ["findings", "unasked"]],
  ["tenants", ["tenants"]],
];
test.each(JSON_OF)("selvedgectl %s --json has its fields", async (words, fields) => {
  const { out } = await ctl(`${words} --json`);
  expect(Object.keys(JSON.parse(out) as object).sort()).toEqual(fields.toSorted());
});

const FAILURES: [error: SelvedgeError, exit: number, err: string][] = [
  [new SelvedgeError({ kind: "not-ready" }, "away", { hint: "Look." }), 3, "selvedgectl: away\nLook.\n"],
  [new SelvedgeError({ kind: "deadline" }, "late"), 3, "selvedgectl: late\n"],
  [new SelvedgeError({ kind: "rpc", status: 13 }, "broken"), 1, "selvedgectl: broken\n"],
];
test.each(FAILURES)("a failure is told: %s", async (error, exit, err) => {
  expect(await ctl("status", new Map([[Admin.getStatus, error]]))).toMatchObject({ out: "", err, exit });
});

test("what ails is an answer, too, with an exit code of its own", async () => {
  const nodes = (trouble: string) => new Map([[Admin.listNodes, ClusterState.of({ trouble, storeReached: true })]]);
  expect(await ctl("nodes", nodes("the clocks differ"))).toMatchObject({ err: "", exit: 5 });
  expect(await ctl("nodes", nodes(""))).toMatchObject({ err: "", exit: 0 });
});

test("colons are escaped where they would divide, and nowhere else", async () => {
  const fish = (await ctl("completion fish")).out;
  expect(fish).toContain("-l to -x -d 'start: link:NAME, vxlan:ADDRESS:VNI, ");
  expect(fish).toContain("-a egress -d 'Egress addresses: who holds them, ");
  expect((await ctl("completion zsh")).out).toContain("\n    'egress:Egress addresses\\: who holds them, ");
});

test("colours are used when asked for, and only there", async () => {
  expect((await ctl("plan", REPLIES, true)).out).toContain("\u001b[32m+ link svabc123 veth up\u001b[0m");
  expect((await ctl("status", REPLIES, true)).out).toContain("\u001b[32mready\u001b[0m");
  expect((await ctl("egress", REPLIES, true)).out).toContain("\u001b[32mby beta\u001b[0m            2  configured");
});

test("what the daemon tells cannot steer the terminal", async () => {
  const pod = "a/\u001b]0;x\u0007b";
  const replies = new Map([[Admin.listAttachments, AttachmentList.of({ attachments: [Attachment.of({ pod })] })]]);
  expect((await ctl("attachments", replies)).out.split("\n").join("")).not.toMatch(/\p{Cc}/u);
});

test("a table is cut to the terminal where names are long", async () => {
  const long = Attachment.of({ ...ATTACHMENTS[0], pod: `namespace/${"x".repeat(60)}`, network: "n".repeat(40) });
  const replies = new Map([[Admin.listAttachments, AttachmentList.of({ attachments: [long] })]]);
  const { out } = await ctl("attachments", replies, false, 110);
  expect(Math.max(...out.split("\n").map((line) => line.length))).toBe(110);
  expect(out).toContain("…");
  expect(out).toContain("fd42:5e1f:ed9e::2");
});
