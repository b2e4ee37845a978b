/** A cable between the namespace of the test, which is the API server's machine, and another one. */
import { must } from "../../conformance/program.ts";

const LINK = "kube0";
/** Of both addresses. */
const PREFIX_LENGTH = 30;

export interface Cable {
  readonly server: string;
  readonly other: string;
}

export async function plugServer(namespace: string, { server, other }: Cable): Promise<void> {
  await must(["ip", "link", "add", LINK, "type", "veth", "peer", "name", LINK, "netns", namespace]);
  for (const [where, address] of [
    [[], server],
    [["-n", namespace], other],
  ] as const) {
    await must(["ip", ...where, "address", "add", `${address}/${PREFIX_LENGTH}`, "dev", LINK]);
    await must(["ip", ...where, "link", "set", LINK, "up"]);
  }
}
