/** What of the node's hardware an attachment has, as operators know it. */
import type { AttachmentRecord } from "#lib/store/store.ts";
import type { Core } from "./core.ts";
import { allFacts } from "./parts.ts";

/** PCI addresses, RDMA devices, and the device nodes that drive them from userspace. @throws SelvedgeError kernel */
export async function devicesOf(core: Core, record: AttachmentRecord): Promise<string[]> {
  const facts = allFacts(record);
  const functions = new Set(
    facts.flatMap((fact) => (fact.type === "driver" ? fact.pci : fact.type === "link" ? (fact.lent?.pci ?? []) : [])),
  );
  const nodes: string[] = [];
  for (const pci of functions) nodes.push(...((await core.kernel.devices.find({ pci }))?.nodes ?? []));
  return [...functions, ...facts.flatMap((fact) => (fact.type === "rdma" ? fact.name : [])), ...nodes];
}
