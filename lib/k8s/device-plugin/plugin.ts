/**
 * A pool of devices offered to kubelet: a server on a socket of its own beside kubelet's, and a registration that is made
 * again whenever kubelet starts anew (it empties the directory then, and forgets every plugin).
 */
import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { definition } from "#lib/api/definition.ts";
import { SelvedgeError } from "#lib/errors.ts";
import {
  type AllocateRequest,
  type AllocateResponse,
  DevicePlugin,
  type DevicePluginOptions,
  type ListAndWatchResponse,
  type PreferredAllocationRequest,
  type PreferredAllocationResponse,
  Registration,
} from "#proto/device-plugin_pb.ts";
import { allocation, deviceOf, type Offer, preferred } from "./allocation.ts";
import { askKubelet } from "./kubelet-call.ts";

export interface PluginOptions {
  /** Directory of kubelet's socket, `/var/lib/kubelet/device-plugins`. */
  readonly directory: string;
  /** `selvedge.dev/fast` */
  readonly resource: string;
  /** Every device of the pool as it stands now. @throws SelvedgeError */
  readonly offers: () => Promise<readonly Offer[]>;
}

export interface Plugin extends AsyncDisposable {
  /**
   * Tells kubelet what has changed since the last time, and comes back to it when it has started anew. Without a
   * kubelet nothing happens. @throws SelvedgeError not-ready: kubelet is there and refuses
   */
  refresh(): Promise<void>;
}

const OPTIONS: DevicePluginOptions = { preStartRequired: false, getPreferredAllocationAvailable: true };

export function devicePlugin({ directory, resource, offers }: PluginOptions): Plugin {
  const endpoint = `selvedge-${resource.replaceAll(/[^A-Za-z0-9.-]/g, "-")}.sock`;
  const kubelet = join(directory, "kubelet.sock");
  const watchers = new Set<ServerWritableStream<unknown, ListAndWatchResponse>>();
  let server: Server | undefined;
  /** Which kubelet it was registered with. */
  let registeredWith: string | undefined;
  let told = "";

  const list = async (): Promise<ListAndWatchResponse> => ({ devices: (await offers()).map(deviceOf) });

  const handlers = {
    getDevicePluginOptions: answering(async () => OPTIONS),
    preStartContainer: answering(async () => ({})),
    listAndWatch(stream: ServerWritableStream<unknown, ListAndWatchResponse>) {
      watchers.add(stream);
      stream.once("cancelled", () => {
        watchers.delete(stream);
        stream.end();
      });
      list().then(
        (devices) => stream.write(devices),
        (error: unknown) => {
          // kubelet drops a plugin whose list ends, and waits until it is registered again.
          watchers.delete(stream);
          registeredWith = undefined;
          // Which grpc-js answers as a status; `destroy` would end it here alone.
          stream.emit("error", error);
        },
      );
    },
    getPreferredAllocation: answering(
      async ({ containerRequests }: PreferredAllocationRequest): Promise<PreferredAllocationResponse> => {
        const all = await offers();
        return { containerResponses: containerRequests.map((one) => ({ deviceIDs: preferred(one, all) })) };
      },
    ),
    allocate: answering(async ({ containerRequests }: AllocateRequest): Promise<AllocateResponse> => {
      const all = new Map((await offers()).map((offer) => [offer.id, offer]));
      const named = (id: string): Offer => {
        const offer = all.get(id);
        if (offer?.isHealthy === true) return offer;
        throw new SelvedgeError(
          { kind: "config-invalid", field: "devices_ids" },
          `${resource}: ${JSON.stringify(id)} is ${offer === undefined ? "not in the pool" : "used by the node"}`,
        );
      };
      return { containerResponses: containerRequests.map((one) => allocation(resource, one.devicesIds.map(named))) };
    }),
  };

  const listen = async (): Promise<void> => {
    server?.forceShutdown();
    watchers.clear();
    await mkdir(directory, { recursive: true });
    await rm(join(directory, endpoint), { force: true });
    const next = new Server();
    next.addService(definition(DevicePlugin), handlers);
    const address = `unix:${join(directory, endpoint)}`;
    await new Promise<void>((resolve, reject) =>
      next.bindAsync(address, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve())),
    );
    server = next;
  };

  return {
    async refresh() {
      const present = await inodeOf(kubelet);
      if (present === undefined) return;
      const isServed = server !== undefined && (await inodeOf(join(directory, endpoint))) !== undefined;
      if (present !== registeredWith || !isServed) {
        await listen();
        const request = { version: "v1beta1", endpoint, resourceName: resource, options: OPTIONS };
        // It may ask for the list, in vain, before it answers.
        registeredWith = present;
        try {
          await askKubelet(kubelet, Registration, "register", request, "register us");
        } catch (error) {
          registeredWith = undefined;
          throw error;
        }
        told = "";
      }
      const devices = await list();
      const text = JSON.stringify(devices);
      if (text === told) return;
      told = text;
      for (const stream of watchers) stream.write(devices);
    },
    async [Symbol.asyncDispose]() {
      for (const stream of watchers) stream.end();
      server?.forceShutdown();
      if (server !== undefined) await rm(join(directory, endpoint), { force: true });
    },
  };
}

/** Tells one kubelet's socket from the next one's at the same path. */
const inodeOf = async (path: string): Promise<string | undefined> => {
  const found = await stat(path).catch(() => undefined);
  return found === undefined ? undefined : `${found.ino} ${found.ctimeMs}`;
};

/** An async function as a method of grpc-js. */
const answering =
  <Request, Reply>(handle: (request: Request) => Promise<Reply>) =>
  ({ request }: ServerUnaryCall<Request, Reply>, answer: sendUnaryData<Reply>): void => {
    handle(request).then(
      (reply) => answer(null, reply),
      (error: unknown) => {
        const code = error instanceof SelvedgeError ? status.INVALID_ARGUMENT : status.INTERNAL;
        answer({ code, details: String((error as Error).message) });
      },
    );
  };
