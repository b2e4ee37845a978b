/** Pieces of Linux that this machine's kernel may lack and that of test/vm has; found out with `ip` and `tc`. */
import { spawnSync } from "node:child_process";
import { relative } from "node:path";
import { expect } from "@jest/globals";
import { filesOfBoots } from "../vm/boots.ts";

const LINK = ["dummy", "ipvlan", "vlan", "vrf", "gre", "ip6gre", "erspan", "wireguard", "geneve"] as const;
const QUEUE = ["netem", "prio"] as const;
const CLASSIFIER = ["matchall", "flower"] as const;
export type KernelPiece = (typeof LINK | typeof QUEUE | typeof CLASSIFIER)[number] | "bridge-vlan";

/** Standard error of a program, in a network namespace that goes with it. */
const complaint = (script: string): string =>
  spawnSync("unshare", ["--net", "bash", "-c", script], { encoding: "utf8" }).stderr;

/** A kind of link that is there complains of what was not said; one that is not there, of its name. */
function has(piece: KernelPiece): boolean {
  if (LINK.some((kind) => kind === piece))
    return !complaint(`ip link add name probe type ${piece}`).includes("Unknown device type");
  if (piece === "bridge-vlan")
    return !complaint("ip link add name probe type bridge vlan_filtering 1").includes("not supported");
  const device = "ip link add probe type veth peer name other";
  if (QUEUE.some((kind) => kind === piece))
    return !complaint(`${device} && tc qdisc add dev probe root ${piece}`).includes("kind is unknown");
  const filter = `tc qdisc add dev probe clsact && tc filter add dev probe ingress ${piece} action pass`;
  return !complaint(`${device} && ${filter}`).includes("classifier not found");
}

const known = new Map<KernelPiece, boolean>();

export type Whereabouts = "here" | "guest" | "nowhere";

/**
 * Where the test file that is being loaded can have a piece of the kernel: in the guest always; on the machine when it
 * is there. Else the file must be one of those that run in the guest too, so that no case is skipped in both.
 */
export function whereabouts(piece: KernelPiece): Whereabouts {
  if (process.env.SELVEDGE_VM !== undefined) return "here";
  if (!known.has(piece)) known.set(piece, has(piece));
  return placeOf(known.get(piece) === true, relative(process.cwd(), expect.getState().testPath ?? ""));
}

/** @param file relative to the checkout */
export function placeOf(isHere: boolean, file: string): Whereabouts {
  if (isHere) return "here";
  return filesOfBoots().some(({ files }) => files.includes(file)) ? "guest" : "nowhere";
}
