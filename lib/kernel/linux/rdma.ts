/**
 * RDMA devices on their way to a pod and back. In the shared mode every namespace sees every device, and nothing moves.
 * From a namespace that ends the kernel itself brings them home, before the links (net/core/net_namespace.c undoes in
 * reverse order, drivers/infiniband/core/device.c, rdma_dev_exit_net).
 */

import type { RdmaFact } from "#lib/state/device-fact.ts";
import type { Op } from "#lib/state/diff.ts";
import type { Fact } from "#lib/state/fact.ts";
import { ERRNO, refused } from "#native/libc.ts";
import { NETLINK_RDMA } from "#native/socket.ts";
import { dumpRdma, moveRdma, readRdma, type SeenRdma } from "../netlink/rdma.ts";
import { insist, netlinkSocket } from "../netlink/socket.ts";
import { namespaceOf, type Place } from "./place.ts";

const isRdma = (fact: Fact): fact is RdmaFact => fact.type === "rdma";

/** Runs with a socket of its own: they are rare, and a kernel without RDMA has none. @throws SelvedgeError kernel */
function at<T>(place: Pick<Place, "netns">, use: (socket: ReturnType<typeof netlinkSocket>) => T): T {
  const socket = netlinkSocket(NETLINK_RDMA, place.netns);
  try {
    return use(socket);
  } finally {
    socket.close();
  }
}

const devicesAt = (place: Pick<Place, "netns">): SeenRdma[] =>
  at(place, (socket) => socket.dump(dumpRdma).map(readRdma));

/** Those of the wanted devices that the pod sees. @throws SelvedgeError kernel */
export function lookRdma(pod: Place | undefined, facts: readonly Fact[]): RdmaFact[] {
  const wanted = facts.filter(isRdma);
  if (pod === undefined || wanted.length === 0) return [];
  const seen = devicesAt(pod);
  return wanted.filter(({ name }) => seen.some((device) => device.name === name));
}

/** The pod sees them afterwards. @throws SelvedgeError kernel */
export function lendRdma(host: Place, pod: Place | undefined, ops: readonly Op[]): void {
  const wanted = ops.flatMap(({ do: verb, fact }) => (verb !== "remove" && isRdma(fact) ? [fact] : []));
  if (pod === undefined || wanted.length === 0) return;
  const there = devicesAt(pod);
  for (const { name } of wanted) {
    if (there.some((device) => device.name === name)) continue;
    const device = devicesAt(host).find((each) => each.name === name);
    if (device === undefined)
      throw refused(`rdma dev get ${name}`, ERRNO.ENODEV, "the node has no such RDMA device, or another pod has it");
    move(device, host, pod);
  }
}

/** What only the pod sees goes back to the host. What is not in the pod is not ours to move any more. @throws SelvedgeError kernel */
export function takeRdmaBack(host: Place, pod: Place | undefined, ops: readonly Op[]): void {
  const given = ops.flatMap(({ do: verb, fact }) => (verb === "remove" && isRdma(fact) ? [fact] : []));
  if (pod === undefined || given.length === 0) return;
  const visible = devicesAt(host);
  for (const device of devicesAt(pod))
    if (given.some(({ name }) => name === device.name) && !visible.some(({ name }) => name === device.name))
      move(device, pod, host);
}

/** Whoever asks must be where the device is: the kernel looks at the thread's namespace (ib_device_set_netns_put). */
function move(device: SeenRdma, from: Place, to: Place): void {
  const request = moveRdma(device, namespaceOf(to));
  const replies = at(from, (socket) => socket.exchangeFrom(namespaceOf(from), [request]));
  if (replies[0]?.error?.code === ERRNO.EOPNOTSUPP)
    throw refused(
      replies[0].request.what,
      ERRNO.EOPNOTSUPP,
      "its driver cannot change the namespace: `rdma system set netns shared` lets all pods see it, where that is wanted",
    );
  insist(replies);
}
