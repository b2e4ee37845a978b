/** Tenants, their routers, and how the node reaches their pods. */
import { Admin, type Probe, type Tenant } from "#proto/selvedge_pb.ts";
import { shortId } from "./attachments.ts";
import type { Command } from "./command.ts";
import type { Style } from "./style.ts";
import { table } from "./table.ts";

export const tenants: Command = {
  summary: "Tenants, their routers, and how the node reaches their pods.",
  usage: "[TENANT]",
  fewestWords: 0,
  mostWords: 1,
  choices: [],
  options: {},
  async run(ask, { words: [name] }) {
    const all = await ask(Admin.listTenants, {});
    const list = { tenants: all.tenants.filter((tenant) => name === undefined || tenant.name === name) };
    return {
      json: list,
      lines: (style, width) => (list.tenants.length === 0 ? ["no tenants"] : linesOf(list.tenants, style, width)),
    };
  },
};

function linesOf(list: readonly Tenant[], style: Style, widthColumns: number): string[] {
  const probes = list.flatMap((tenant) => tenant.probes.map((probe) => ({ tenant: tenant.name, probe })));
  return [
    ...table(
      [
        { heading: "TENANT", cut: true },
        { heading: "NETWORKS" },
        { heading: "SUBNETS" },
        { heading: "PEERS" },
        { heading: "PODS", right: true },
        { heading: "ROUTER" },
      ],
      list.map((tenant) => [
        tenant.configured ? tenant.name : `${tenant.name} (not configured)`,
        tenant.networks,
        tenant.subnets,
        [...tenant.peers, ...tenant.asked.map((peer) => `${peer} (does not ask)`)],
        String(podsOf(tenant)),
        tenant.router === "" ? [] : [tenant.router, ...tenant.addresses],
      ]),
      style,
      widthColumns,
    ),
    ...(probes.length === 0 ? [] : ["", ...probeTable(probes, style, widthColumns)]),
  ];
}

const podsOf = ({ probes }: Tenant): number =>
  new Set(probes.map(({ key }) => `${key?.containerId} ${key?.ifname}`)).size;

const probeTable = (
  probes: readonly { readonly tenant: string; readonly probe: Probe }[],
  style: Style,
  widthColumns: number,
): string[] =>
  table(
    [
      { heading: "PROBE ADDRESS" },
      { heading: "ADDRESS" },
      { heading: "TENANT", cut: true },
      { heading: "POD", cut: true },
    ],
    probes.map(({ tenant, probe: { key, pod, address, probe } }) => [
      probe,
      address,
      tenant,
      pod === "" ? shortId(key?.containerId ?? "") : pod,
    ]),
    style,
    widthColumns,
  );
