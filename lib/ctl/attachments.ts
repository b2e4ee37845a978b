import { Admin, type Attachment, type Plane } from "#proto/selvedge_pb.ts";
import { type Command, WORDLESS } from "./command.ts";
import type { Style } from "./style.ts";
import { type Cell, table } from "./table.ts";

export const attachments: Command = {
  ...WORDLESS,
  summary: "The containers' interfaces on this node.",
  options: {
    network: { value: "NAME", meaning: "only those on this network" },
    pod: { value: "POD", meaning: "only those whose namespace/name contains this" },
  },
  async run(ask, { value }) {
    const list = await ask(Admin.listAttachments, { network: value("network"), pod: value("pod") });
    return {
      json: list,
      lines: (style, width) =>
        list.attachments.length === 0 ? ["no attachments"] : attachmentTable(list.attachments, style, width),
    };
  },
};

/** Container ids are cut to 12 characters, as container runtimes show them. */
export const shortId = (containerId: string): string => containerId.slice(0, 12);

export const attachmentTable = (list: readonly Attachment[], style: Style, widthColumns: number): string[] =>
  table(
    [
      { heading: "CONTAINER" },
      { heading: "IFNAME" },
      { heading: "NETWORK", cut: true },
      { heading: "POD", cut: true },
      { heading: "TYPE" },
      { heading: "PHASE" },
      { heading: "ADDRESSES" },
      { heading: "HOST LINK" },
      { heading: "HOST PORTS" },
      ...(list.some(({ devices }) => devices.length > 0) ? [{ heading: "DEVICES" }] : []),
    ],
    list.flatMap((one) => [rowOf(one), ...one.planes.slice(1).map(planeRow)]),
    style,
    widthColumns,
  );

const rowOf = (one: Attachment): Cell[] => [
  shortId(one.key?.containerId ?? ""),
  one.key?.ifname ?? "",
  one.network,
  one.pod,
  one.type,
  one.namespaceGone ? `${one.phase}, gone` : one.phase,
  one.planes[0]?.addresses ?? one.addresses,
  one.hostLink,
  one.hostPorts,
  one.devices,
];

/** A further interface of the attachment above it. */
const planeRow = ({ ifname, name, type, addresses, hostLink }: Plane): Cell[] => [
  PLANE,
  ifname,
  name,
  "",
  type,
  "",
  addresses,
  hostLink,
  "",
  "",
];

const PLANE = "  plane";
