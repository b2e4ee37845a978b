/** Which pods of this node leave the cluster by addresses of their own. */
import { type Address, addressOf } from "#lib/address.ts";
import { parseNetConf } from "#lib/cni/netconf.ts";
import type { Config } from "#lib/config/config.ts";
import { leavers } from "#lib/datapath/egress/facts.ts";
import { markOf } from "#lib/datapath/egress/names.ts";
import { isFailure } from "#lib/errors.ts";
import type { ElementFact, Fact } from "#lib/state/fact.ts";
import type { AttachmentRecord } from "#lib/store/store.ts";
import { withItself } from "./asked-planes.ts";
import type { Core } from "./core.ts";
import { type Leaving, leavingOf, leavingOfTenant } from "./egress-rule.ts";
import { addressesOf } from "./record.ts";
import { transferOf } from "./tenancy.ts";

const isLeaver = (fact: Fact): fact is ElementFact =>
  fact.type === "element" && (fact.set === "egress4" || fact.set === "egress6");

/** Addresses of the attachment that leave by those at that place of the configuration. */
const leavingBy = ({ facts }: AttachmentRecord, index: number): Address[] =>
  facts.filter(isLeaver).flatMap(({ key, value }) => (value?.[0] === markOf(index) ? (key as Address[]) : []));

/** This node's pods that do, for people. */
export const leaversNamed = ({ table }: Pick<Core, "table">, index: number): string[] =>
  [...table]
    .filter((record) => leavingBy(record, index).length > 0)
    .map(({ pod, containerId }) => pod ?? containerId)
    .sort();

/**
 * The node has come to hold the addresses: connections of its own pods that went to another holder until now went there
 * untranslated, or a tenant's under an address that led back to this node, and would go on so; they begin anew. Reports
 * its own failures, behind the call.
 */
export function forgetLeavers(core: Core, index: number): void {
  const { kernel, table, config, hosts } = core;
  const tenants = [...hosts.keys()].filter((name) => leavingOfTenant(config, name)?.index === index);
  const routers = tenants.flatMap((tenant) => transferOf(core, tenant).map(({ router }) => router));
  const running: Promise<void> = Promise.all([
    kernel.flushUntranslated([...table].flatMap((record) => leavingBy(record, index))),
    kernel.flushConntrack(routers),
  ])
    .then(
      () => {},
      (error: unknown) => {
        if (!isFailure(error)) throw error;
        core.log({ event: "conntrack-failed", message: error.message });
      },
    )
    .finally(() => core.behind.delete(running));
  core.behind.add(running);
}

/** The configuration may mean others now than when pods were attached: their facts follow it. @throws SelvedgeError store */
export async function followConfiguration(core: Pick<Core, "config" | "table" | "store">): Promise<void> {
  const isAsked = (core.config.cluster?.egress ?? []).length > 0;
  for (const record of [...core.table]) {
    const had = record.facts.filter(isLeaver);
    if (record.phase !== "ready" || (!isAsked && had.length === 0)) continue;
    const wanted = isAsked ? wantedBy(core.config, record) : [];
    if (wanted === undefined || isSame(wanted, had)) continue;
    const facts = [...record.facts.filter((fact) => !isLeaver(fact)), ...wanted];
    const value: AttachmentRecord = { ...record, facts };
    await core.store.commit([{ put: "attachment", value }]);
    core.table.put(value);
  }
}

/** Undefined where what was asked for can no longer be read: then it stays as it was made. */
function wantedBy(config: Config, record: AttachmentRecord): ElementFact[] | undefined {
  try {
    const conf = withItself(parseNetConf("ADD", Buffer.from(record.config), record.args, record.ifname));
    if (record.chained) return elements(leavingOf(config, conf), addressesOf(record));
    const [itself, ...further] = record.planes ?? [];
    const tenant = itself?.tenant ?? config.networks.get(conf.network ?? "")?.tenant;
    return [
      ...(tenant === undefined ? elements(leavingOf(config, conf), addressesBy(record, record.ifname)) : []),
      ...further
        .filter((plane) => plane.tenant === undefined)
        .flatMap(({ name: network, ifname }) =>
          elements(leavingOf(config, { ...conf, network, further: true }), addressesBy(record, ifname)),
        ),
    ];
  } catch (error) {
    if (!isFailure(error)) throw error;
    return undefined;
  }
}

const elements = (leaving: Leaving | undefined, addresses: readonly Address[]): ElementFact[] =>
  leaving === undefined ? [] : leavers(addresses, leaving.index, leaving.addresses);

const addressesBy = ({ facts }: AttachmentRecord, ifname: string): Address[] =>
  facts.flatMap((fact) =>
    fact.type === "address" && fact.at === "pod" && fact.link === ifname ? [addressOf(fact.address)] : [],
  );

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
