/** What `selvedgectl doctor` says of a node: one finding for each thing looked at. Pure. */
import { CNI_BIN, CNI_CONF, type Survey, type Switch } from "#lib/kernel/survey.ts";

export interface Finding {
  readonly check: string;
  /** `problem`: pods are, or will be, without what they were promised. `warning`: they may be. */
  readonly level: "ok" | "warning" | "problem";
  /** One sentence. */
  readonly message: string;
  /** What to do about it; empty when ok. */
  readonly remedy: string;
}

/** What the daemon knows by itself. */
export interface Situation {
  readonly nowMs: number;
  readonly waitingFor: readonly string[];
  /** Milliseconds since the epoch; 0: none since the start. */
  readonly lastReconcileMs: number;
  readonly reconcileEveryMs: number;
  /** What a reconcile would change now, as lines. */
  readonly plan: readonly string[];
  /** Bytes. */
  readonly pathMtu: number;
  /** Networks that have an MTU of their own, bytes. */
  readonly networkMtus: readonly (readonly [network: string, mtu: number])[];
  readonly socket: string;
  /** What of policies, and of whom they speak of, cannot be had or read; absent: the node has no policies. */
  readonly refused?: ReadonlyMap<string, string>;
  /** Where the nodes meet; absent: the node is alone. */
  readonly meeting?: {
    readonly place: string;
    /** Undefined: not known yet. */
    readonly isReached: boolean | undefined;
    /** Why it is not. */
    readonly away: string;
  };
}

export function health(survey: Survey, situation: Situation): Finding[] {
  return [
    ready(situation),
    reconciled(situation),
    asPlanned(situation),
    ...policies(situation),
    ...met(situation),
    ...forwarding(survey),
    reversePath(survey),
    bridged(survey),
    connections(survey),
    firewalls(survey),
    managers(survey),
    mtu(situation),
    door(survey, situation),
    plugin(survey),
    configured(survey),
  ];
}

const ok = (check: string, message: string): Finding => ({ check, level: "ok", message, remedy: "" });
const warning = (check: string, message: string, remedy: string): Finding => ({
  check,
  level: "warning",
  message,
  remedy,
});
const problem = (check: string, message: string, remedy: string): Finding => ({
  ...warning(check, message, remedy),
  level: "problem",
});

function ready({ waitingFor }: Situation): Finding {
  if (waitingFor.length === 0) return ok("daemon", "it answers and is ready");
  return problem("daemon", `it waits: ${waitingFor.join("; ")}`, "ADD is refused until then; its log says more");
}

/** Passes that may fail to come before somebody is told. */
const LATE_PASSES = 3;

function reconciled({ nowMs, lastReconcileMs, reconcileEveryMs }: Situation): Finding {
  if (lastReconcileMs === 0)
    return warning("reconcile", "no full pass since the daemon started", "ask again in a few seconds");
  const seconds = Math.round((nowMs - lastReconcileMs) / 1_000);
  if (nowMs - lastReconcileMs <= LATE_PASSES * reconcileEveryMs)
    return ok("reconcile", `the last full pass was ${seconds} s ago`);
  return problem(
    "reconcile",
    `the last full pass was ${seconds} s ago, and one is due every ${reconcileEveryMs / 1_000} s`,
    "`selvedgectl status` shows what the daemon does; its log says what failed",
  );
}

function asPlanned({ plan }: Situation): Finding {
  const strays = plan.filter((line) => line.startsWith("-")).length;
  if (plan.length === 0) return ok("state", "everything is as it should be, and nothing is left over");
  return warning(
    "state",
    `${plan.length} operations are to be done, ${strays} of them to remove what nobody wants any more`,
    "`selvedgectl plan` lists them; if they come back after `selvedgectl reconcile`, another program undoes them",
  );
}

function policies({ refused }: Situation): Finding[] {
  const check = "policies";
  if (refused === undefined) return [];
  if (refused.size === 0) return [ok(check, "all of them could be read")];
  const [[name, message] = ["", ""]] = refused;
  const others = refused.size === 1 ? "" : ` (and ${refused.size - 1} more)`;
  return [
    warning(
      check,
      `${name}: ${message}${others}`,
      "what was known before stands, and is not kept up to date: `selvedgectl policy list` shows all that is amiss",
    ),
  ];
}

function met({ meeting }: Situation): Finding[] {
  const check = "shared store";
  if (meeting === undefined) return [];
  const { place, isReached, away } = meeting;
  if (isReached === true) return [ok(check, `${place}: it is reached`)];
  if (isReached === undefined)
    return [warning(check, `${place}: no answer since the daemon started`, "ask again in a few seconds")];
  return [
    problem(
      check,
      `${place}: it is away`,
      `${away.replace(/\.$/, "")}. Pods come and go with what the node has; no block is taken or given back until then`,
    ),
  ];
}

const FORWARDING: readonly (readonly [string, Switch])[] = [
  ["IPv4 forwarding", "net/ipv4/ip_forward"],
  ["IPv6 forwarding", "net/ipv6/conf/all/forwarding"],
];

const forwarding = ({ switches }: Survey): Finding[] =>
  FORWARDING.map(([check, key]) => {
    if (switches[key] === "1") return ok(check, `${key} is 1`);
    if (switches[key] === undefined)
      return warning(check, "this kernel does not have it", "boot without ipv6.disable=1, or use pools of IPv4 only");
    return problem(
      check,
      `${key} is ${switches[key]}: no packet leaves or reaches a pod`,
      "the daemon turns it on every second: look in /etc/sysctl.d for what turns it off",
    );
  });

function reversePath({ switches }: Survey): Finding {
  const check = "reverse path";
  if (switches["net/ipv4/conf/all/rp_filter"] !== "1") return ok(check, "no strict filter on every link");
  return warning(
    check,
    "net/ipv4/conf/all/rp_filter is 1 (strict): packets of a pod with several planes are dropped where the way back differs",
    "set it to 0 or 2 (loose) in /etc/sysctl.d",
  );
}

function bridged({ switches }: Survey): Finding {
  const check = "br_netfilter";
  if (switches["net/bridge/bridge-nf-call-iptables"] !== "1")
    return ok(check, "frames between ports of a bridge do not pass through iptables");
  return warning(
    check,
    "frames between pods on one bridge pass through the rules for routed packets",
    "needed by some kube-proxy set-ups; else set net.bridge.bridge-nf-call-iptables=0",
  );
}

/** Share of the table from which new connections are about to be dropped. */
const CROWDED = 0.8;

function connections({ switches }: Survey): Finding {
  const check = "connection tracking";
  const [count, most] = [switches["net/netfilter/nf_conntrack_count"], switches["net/netfilter/nf_conntrack_max"]];
  if (count === undefined || most === undefined)
    return warning(
      check,
      "nf_conntrack is not loaded",
      "it comes with the first rule that needs it; load nf_conntrack",
    );
  const message = `${count} of ${most} connections`;
  if (Number(count) < CROWDED * Number(most)) return ok(check, message);
  return problem(check, `${message}: new ones are about to be dropped`, "raise net.netfilter.nf_conntrack_max");
}

function firewalls({ dropping, legacyTables }: Survey): Finding {
  const check = "other firewalls";
  if (dropping === undefined)
    return warning(check, "nft cannot list the chains of this node", "`nft list chains` says why");
  if (dropping.length > 0)
    return warning(
      check,
      `${dropping.join(", ")}: drops forwarded packets that none of its rules accepts`,
      "accept there what comes from and goes to the pools (Docker sets the policy of FORWARD to drop when it starts)",
    );
  if (legacyTables.includes("filter"))
    return warning(
      check,
      "the old iptables has a table filter, which nft does not show",
      "look with `iptables-legacy -S FORWARD`",
    );
  return ok(check, "no other chain drops what is forwarded");
}

function managers({ managed }: Survey): Finding {
  const check = "network managers";
  if (managed.length === 0) return ok(check, "no other program manages links of pods");
  const by = [...new Set(managed.map((one) => one.by))].join(" and ");
  return problem(
    check,
    `${by} manages ${managed.length} links of pods, the first is ${managed[0]?.link}`,
    "systemd-networkd: a .network file with [Match] Name=s[beimostv][0-9a-f]* and [Link] Unmanaged=yes; NetworkManager: unmanaged-devices=interface-name:s[beimostv][0-9a-f]*",
  );
}

function mtu({ pathMtu, networkMtus }: Situation): Finding {
  const larger = networkMtus.filter(([, bytes]) => bytes > pathMtu);
  if (larger.length === 0) return ok("MTU", `the node's path takes ${pathMtu} bytes, and no network has more`);
  return warning(
    "MTU",
    `the node's path takes ${pathMtu} bytes; more have ${larger.map(([name, bytes]) => `${name} (${bytes})`).join(", ")}`,
    "fine for a network that does not leave by the default route; else give it no `mtu`",
  );
}

function door({ socket }: Survey, { socket: path }: Situation): Finding {
  if (socket === undefined)
    return problem("socket", `${path} is gone: plugins cannot reach the daemon`, "restart selvedged");
  if (socket.uid === 0 && (socket.mode & 0o077) === 0) return ok("socket", `${path} is open to root alone`);
  return problem(
    "socket",
    `${path} has mode ${socket.mode.toString(8)} and owner ${socket.uid}: others than root may connect`,
    `chown root ${path} && chmod 600 ${path}`,
  );
}

function plugin({ pluginInstalled }: Survey): Finding {
  if (pluginInstalled) return ok("plugin", `${CNI_BIN}/selvedge is there`);
  return warning(
    "plugin",
    `no program ${CNI_BIN}/selvedge`,
    "copy it there, or tell the runtime its own directory (containerd: bin_dir)",
  );
}

function configured({ networks }: Survey): Finding {
  const check = "configuration list";
  const [first] = networks;
  const ours = networks.find((network) => network.ours);
  if (ours === undefined)
    return warning(
      check,
      `no file in ${CNI_CONF} names the plugin`,
      "write install/net.d/05-selvedge.conflist there, under another name first, then rename it",
    );
  if (first === ours) return ok(check, `${CNI_CONF}/${ours.file} is the runtime's first`);
  return warning(
    check,
    `${first?.file} comes before ${ours.file} in ${CNI_CONF}: pods are attached by that one`,
    "give ours a name that sorts first, or move the other away",
  );
}
