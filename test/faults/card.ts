/** A network card with virtual functions, for the node in memory. */
import type { Mac } from "#lib/address.ts";
import type { FakeKernel } from "#lib/kernel/fake.ts";
import { isLentAlias } from "#lib/state/device.ts";

const LINK = "ens1";
const COUNT = 3;
const pciOf = (index: number): string => `0000:3b:02.${index}`;
const representorOf = (index: number): string => `${LINK}r${index}`;
const SETTINGS = { mac: "00:00:00:00:00:00" as Mac, vlan: 0, qos: 0, vlanProtocol: "802.1Q" } as const;

export function plugCard(kernel: FakeKernel): void {
  const physical = { pci: "0000:3b:00.0", link: LINK, vendor: "8086", product: "1572", driver: "i40e", maxVirtual: 8 };
  kernel.plug({ name: LINK, pci: physical.pci, driver: "i40e", rdma: [], nodes: [], physical });
  for (let index = 0; index < COUNT; index++) {
    kernel.plug({ name: representorOf(index), rdma: [], nodes: [] });
    kernel.plug({
      name: `${LINK}v${index}`,
      pci: pciOf(index),
      driver: "iavf",
      rdma: [`irdma${index}`],
      nodes: [],
      virtual: {
        link: LINK,
        index,
        settings: SETTINGS,
        representor: { link: { name: representorOf(index), mtu: 1500, up: false }, isPort: false },
      },
    });
  }
}

/** What of the card is not as it was plugged in, though no attachment has it. `held`: addresses of functions that are lent. */
export async function notGivenBack({ devices }: FakeKernel, held: readonly string[]): Promise<string[]> {
  const [card] = await devices.physicalFunctions();
  const wounds: string[] = [];
  for (const { pci, index, link, alias, driver } of card?.virtual ?? []) {
    if (held.includes(pci)) continue;
    const settings = (await devices.find({ pci }))?.virtual?.settings;
    const end = (await devices.find({ name: representorOf(index) }))?.link;
    if (end === undefined || end.up || isLentAlias(end.alias)) wounds.push(`${pci}: ${JSON.stringify(end)} is its end`);
    if (link !== `${LINK}v${index}` && driver === "iavf") wounds.push(`${pci} is ${link ?? "not on the node"}`);
    if (isLentAlias(alias)) wounds.push(`${pci} is marked ${alias}`);
    if (driver !== "iavf" && driver !== "") wounds.push(`${pci} has the driver ${driver}`);
    if (JSON.stringify(settings) !== JSON.stringify(SETTINGS)) wounds.push(`${pci} is set ${JSON.stringify(settings)}`);
  }
  return wounds;
}

/** Addresses of the functions that facts speak of. */
export const functionsIn = (facts: readonly { readonly type: string }[]): string[] =>
  facts.flatMap((fact) => {
    const { pci, lent } = fact as { pci?: string; lent?: { pci?: string } };
    return pci ?? lent?.pci ?? [];
  });
