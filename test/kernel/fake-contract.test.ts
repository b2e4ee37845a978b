import { test } from "@jest/globals";
import { tables } from "#lib/datapath/tables.ts";
import { fakeKernel } from "#lib/kernel/fake.ts";
import { kernelContract, type Rig } from "./contract.ts";
import { singleContract } from "./contract-single.ts";

async function open(): Promise<Rig> {
  const kernel = fakeKernel();
  let made = 0;
  return {
    kernel,
    async addNamespace() {
      const path = `/run/netns/pod${++made}`;
      kernel.addNamespace(path);
      return path;
    },
    removeNamespace: async (path) => kernel.removeNamespace(path),
    meddle: async (netns, change) => kernel.meddle(netns, change),
    [Symbol.asyncDispose]: () => kernel[Symbol.asyncDispose](),
  };
}

kernelContract({ test, tables: tables({ noMasquerade: [] }), open });
singleContract({ needing: () => test, open });
