/** The networks that real runtimes are tried with: the reference, which proves the rig, and ours. */
import { BUILT, type Daemon, startDaemon } from "../../conformance/daemon.ts";
import { referenceBin } from "../../conformance/reference.ts";
import type { JsonObject } from "../../conformance/subject.ts";
import type { Machine } from "./machine.ts";

export interface Network {
  readonly plugins: readonly JsonObject[];
  readonly path: readonly string[];
  /** What a runtime must hand on to its plugins. */
  readonly environment: Readonly<Record<string, string>>;
  /** Only ours has one. */
  readonly daemon?: Daemon;
}

export interface Candidate {
  readonly name: string;
  readonly ours: boolean;
  /** @param pods the machine's pod network, for instance 10.91.1.0/24 */
  open(machine: Machine, directory: string, stack: AsyncDisposableStack, pods?: string): Promise<Network>;
}

const routes = [{ dst: "0.0.0.0/0" }];
const POD_NETWORK = "10.91.0.0/24";

const reference: Candidate = {
  name: "reference bridge",
  ours: false,
  open: async (_machine, _directory, _stack, pods = POD_NETWORK) => ({
    path: [referenceBin()],
    environment: {},
    plugins: [
      {
        type: "bridge",
        bridge: "cni0",
        isGateway: true,
        ipMasq: true,
        hairpinMode: true,
        capabilities: { ips: true, mac: true },
        ipam: { type: "host-local", ranges: [[{ subnet: pods }]], routes },
      },
      { type: "portmap", capabilities: { portMappings: true } },
    ],
  }),
};

const selvedge: Candidate = {
  name: "selvedge",
  ours: true,
  open: async (machine, directory, stack, pods = POD_NETWORK) => {
    const daemon = stack.use(await startDaemon({ enter: machine.enter, directory }));
    return {
      path: [BUILT],
      environment: daemon.environment,
      daemon,
      plugins: [
        {
          type: "selvedge",
          ipMasq: true,
          capabilities: { bandwidth: true, ips: true, mac: true, portMappings: true },
          ipam: { type: "selvedge", ranges: [[{ subnet: pods }]], routes },
        },
      ],
    };
  },
};

export const NETWORKS: readonly Candidate[] = [reference, selvedge];
