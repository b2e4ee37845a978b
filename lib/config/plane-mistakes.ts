/** What can be wrong with a list of planes besides its shape. */
import { type Complaint, complaint, lookUp, unknownName } from "./complaint.ts";
import type { Path } from "./yaml.ts";

/** `self`: the network whose planes they are, if any. */
export function planeMistakes(
  root: unknown,
  path: Path,
  { networks, self }: { readonly networks: ReadonlySet<string>; readonly self: unknown },
): Complaint[] {
  const found = lookUp(root, path);
  if (!Array.isArray(found)) return [];
  const complaints: Complaint[] = [];
  const named = new Set<string>();
  const interfaces = new Set<string>();
  let leading: string | undefined;
  found.forEach((member: unknown, i) => {
    const short = typeof member === "string";
    const network = short ? member : lookUp(member, ["network"]);
    if (typeof network !== "string") return;
    const at = [...path, i];
    const place = short ? at : [...at, "network"];
    if (!networks.has(network)) complaints.push(unknownName(place, "network", network, networks));
    else if (network === self)
      complaints.push(complaint(place, `"${network}" is the network itself, which is the first plane anyway`));
    else if (named.has(network)) complaints.push(complaint(place, `the plane "${network}" is named twice`));
    named.add(network);
    const given = lookUp(member, ["interface"]);
    const ifname = given ?? network;
    if (typeof ifname !== "string") return;
    const ifplace = given === undefined ? place : [...at, "interface"];
    if (given === undefined && Buffer.byteLength(ifname) > 15)
      complaints.push(
        complaint(ifplace, `"${network}" is too long for the name of a link; give an "interface" of 1 to 15 bytes`),
      );
    if (interfaces.has(ifname))
      complaints.push(complaint(ifplace, `the interface "${ifname}" is that of another plane, too`));
    interfaces.add(ifname);
    if (lookUp(member, ["defaultRoute"]) !== true) return;
    if (leading !== undefined)
      complaints.push(complaint([...at, "defaultRoute"], `the default route leads to the plane "${leading}" already`));
    leading ??= network;
  });
  return complaints;
}
