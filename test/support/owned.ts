/** Everything on a host that carries our mark. */
import type { Kernel } from "#lib/kernel/kernel.ts";
import type { ElementFact, Fact } from "#lib/state/fact.ts";

export const allOwned = async (kernel: Pick<Kernel, "owned" | "elements">): Promise<Fact[]> => [
  ...(await kernel.owned()),
  ...(await allElements(kernel)),
];

export async function allElements(kernel: Pick<Kernel, "elements">): Promise<ElementFact[]> {
  const all: ElementFact[] = [];
  for await (const part of kernel.elements()) all.push(...part);
  return all;
}
