/**
 * Which test files run in the guest, in how many boots. Files named `*.vm.test.ts` run there only; the others run on
 * the machine as well, and there `needing({ kernel: … })` skips the cases that this table sends to the guest.
 */
import { globSync } from "node:fs";
import { join } from "node:path";

export interface Boot {
  readonly name: string;
  /** Of test/vm/run.sh. */
  readonly options: readonly string[];
  /** Patterns below the checkout; a file belongs to the first boot that it matches. */
  readonly files: readonly string[];
}

export const BOOTS: readonly Boot[] = [
  { name: "kernel", options: [], files: ["test/kernel/{linux-contract,linux,single,features,nft,conntrack}.test.ts"] },
  { name: "conformance", options: [], files: ["test/conformance/{cases,observed}.test.ts"] },
  { name: "types", options: [], files: ["test/faults/types.test.ts"] },
  { name: "sriov", options: ["--sriov"], files: ["**/*sriov*.vm.test.ts"] },
  { name: "links", options: ["--modules"], files: ["**/*.vm.test.ts", "test/attach/shim.test.ts"] },
];

const top = join(import.meta.dirname, "..", "..");

/** The files of each boot, relative to the checkout and in order; a boot without any is left out. */
export function filesOfBoots(): { boot: Boot; files: string[] }[] {
  const taken = new Set<string>();
  return BOOTS.flatMap((boot) => {
    const exclude = ["node_modules", "dist", ".cache"];
    const found = boot.files.flatMap((pattern) => globSync(pattern, { cwd: top, exclude })).sort();
    const files = found.filter((file) => !taken.has(file) && taken.add(file));
    return files.length === 0 ? [] : [{ boot, files }];
  });
}
