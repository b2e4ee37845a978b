/** A test plays kubelet: it takes registrations on kubelet.sock and calls back what was registered. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, type ClientReadableStream, credentials, Server, ServerCredentials } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { definition } from "#lib/api/definition.ts";
import {
  DevicePlugin,
  type ListAndWatchResponse,
  type RegisterRequest,
  Registration,
} from "#proto/device-plugin_pb.ts";
import type { Offer } from "./allocation.ts";
import { devicePlugin } from "./plugin.ts";

interface Kubelet {
  readonly registered: RegisterRequest[];
  stop(): Promise<void>;
}

async function kubelet(directory: string, refuse = false): Promise<Kubelet> {
  const registered: RegisterRequest[] = [];
  const server = new Server();
  server.addService(definition(Registration), {
    register({ request }: { request: RegisterRequest }, answer: (error: object | null, reply?: object) => void) {
      registered.push(request);
      if (refuse) answer({ code: 3, details: "unsupported version" });
      else answer(null, {});
    },
  });
  const socket = join(directory, "kubelet.sock");
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (e) => (e ? reject(e) : resolve())),
  );
  return {
    registered,
    async stop() {
      server.forceShutdown();
      for (const name of await readdir(directory)) await rm(join(directory, name));
    },
  };
}

const methods = definition(DevicePlugin);
let directory: string;
let node: Kubelet;
let client: Client | undefined;
let present: Offer[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "kubelet-"));
  node = await kubelet(directory);
  present = [
    { id: "0000:3b:02.0", isHealthy: true, numaNode: 1, nodes: [] },
    { id: "0000:3b:02.1", isHealthy: false, numaNode: 1, nodes: [] },
  ];
});
afterEach(async () => {
  client?.close();
  client = undefined;
  await node.stop();
  await rm(directory, { recursive: true });
});

const plugin = () => devicePlugin({ directory, resource: "selvedge.dev/fast", offers: async () => present });
const RESOURCE = {
  version: "v1beta1",
  endpoint: "selvedge-selvedge.dev-fast.sock",
  resourceName: "selvedge.dev/fast",
  options: { preStartRequired: false, getPreferredAllocationAvailable: true },
};

function connected(): Client {
  client = new Client(`unix:${join(directory, RESOURCE.endpoint)}`, credentials.createInsecure());
  return client;
}

/** One unary call of kubelet's. */
function call(method: string, request: object): Promise<unknown> {
  const { path, requestSerialize, responseDeserialize } = methods[method] ?? never(method);
  return new Promise((resolve, reject) =>
    (client ?? connected()).makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, reply) =>
      error ? reject(error) : resolve(reply),
    ),
  );
}

const never = (method: string): never => {
  throw new Error(`no method ${method}`);
};

/** The next list that kubelet hears of. */
const heard = (stream: ClientReadableStream<ListAndWatchResponse>): Promise<ListAndWatchResponse> =>
  new Promise((resolve) => stream.once("data", resolve));

function watched(): ClientReadableStream<ListAndWatchResponse> {
  const { path, requestSerialize, responseDeserialize } = methods.listAndWatch ?? never("listAndWatch");
  const stream = connected().makeServerStreamRequest(path, requestSerialize, responseDeserialize, {});
  stream.on("error", () => {});
  return stream as ClientReadableStream<ListAndWatchResponse>;
}

test("kubelet is registered with once, and lists, and hears of changes only", async () => {
  await using pool = plugin();
  for (const _again of [1, 2]) await pool.refresh();
  expect(node.registered).toEqual([RESOURCE]);
  const stream = watched();
  const device = (ID: string, health: string) => ({ ID, health, topology: { nodes: [{ ID: 1 }] } });
  expect(await heard(stream)).toEqual({
    devices: [device("0000:3b:02.0", "Healthy"), device("0000:3b:02.1", "Unhealthy")],
  });
  present = present.slice(0, 1);
  const next = heard(stream);
  for (const _again of [1, 2]) await pool.refresh();
  expect(await next).toEqual({ devices: [device("0000:3b:02.0", "Healthy")] });
});

test("a kubelet that starts anew has emptied its directory, and is registered with again", async () => {
  await using pool = plugin();
  await pool.refresh();
  await node.stop();
  await pool.refresh();
  node = await kubelet(directory);
  await pool.refresh();
  expect(node.registered).toEqual([RESOURCE]);
  expect(await call("getDevicePluginOptions", {})).toEqual(RESOURCE.options);
});

test("a list that cannot be given ends what kubelet follows, and is registered again", async () => {
  let trouble: Error | undefined;
  const offers = async () => {
    if (trouble !== undefined) throw trouble;
    return present;
  };
  await using pool = devicePlugin({ directory, resource: "selvedge.dev/fast", offers });
  await pool.refresh();
  trouble = new Error("no such device");
  const stream = watched();
  await new Promise((resolve) => stream.once("close", resolve).once("error", resolve));
  trouble = undefined;
  await pool.refresh();
  expect(node.registered).toEqual([RESOURCE, RESOURCE]);
  client?.close();
  expect((await heard(watched())).devices).toHaveLength(2);
});

test("a container gets what it is given, and a device that the node uses is refused", async () => {
  await using pool = plugin();
  await pool.refresh();
  const [first, second] = present.map(({ id }) => id);
  expect(await call("allocate", { containerRequests: [{ devicesIds: [first] }] })).toMatchObject({
    containerResponses: [{ envs: [{ key: "PCIDEVICE_SELVEDGE_DEV_FAST", value: first }] }],
  });
  await expect(call("allocate", { containerRequests: [{ devicesIds: [second] }] })).rejects.toThrow(
    'selvedge.dev/fast: "0000:3b:02.1" is used by the node',
  );
  await expect(call("allocate", { containerRequests: [{ devicesIds: ["x"] }] })).rejects.toThrow(
    '"x" is not in the pool',
  );
  const wish = { availableDeviceIDs: [second, first], mustIncludeDeviceIDs: [], allocationSize: 1 };
  expect(await call("getPreferredAllocation", { containerRequests: [wish] })).toEqual({
    containerResponses: [{ deviceIDs: [first] }],
  });
  expect(await call("preStartContainer", { devicesIds: [first] })).toEqual({});
});

test("without a kubelet nothing happens, and one that refuses is quoted", async () => {
  await node.stop();
  await using pool = plugin();
  await pool.refresh();
  expect(await readdir(directory)).toEqual([]);
  node = await kubelet(directory, true);
  await expect(pool.refresh()).rejects.toThrow("kubelet does not register us: unsupported version");
});

test("its socket goes with it", async () => {
  {
    await using pool = plugin();
    await pool.refresh();
    expect(await readdir(directory)).toContain(RESOURCE.endpoint);
  }
  expect(await readdir(directory)).toEqual(["kubelet.sock"]);
});
