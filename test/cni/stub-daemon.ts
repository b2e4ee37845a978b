/** A grpc-js server that stands in for the daemon: the Node service with handlers of the test's choice. */
import { join } from "node:path";
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
} from "@grpc/grpc-js";
import protobuf from "protobufjs";

const proto = protobuf.loadSync(join(import.meta.dirname, "../../proto/selvedge.proto"));
const CniRequest = proto.lookupType("selvedge.v1.CniRequest");
const CniReply = proto.lookupType("selvedge.v1.CniReply");

export interface SeenRequest {
  readonly containerId: string;
  readonly netns: string;
  readonly ifname: string;
  readonly args: string;
  readonly config: string;
  readonly netnsInode: number;
  readonly traceparent: string;
}
export type Handler = (
  request: SeenRequest,
  callback: sendUnaryData<object>,
  call: ServerUnaryCall<SeenRequest, object>,
) => void;
export type Verb = "Add" | "Del" | "Check" | "Gc" | "Status";

export interface StubDaemon extends AsyncDisposable {
  readonly seen: readonly { readonly verb: Verb; readonly request: SeenRequest }[];
  readonly server: Server;
}

/** Listens on `socket`. A verb without a handler answers with an empty reply. */
export async function stubDaemon(socket: string, handlers: Partial<Record<Verb, Handler>> = {}): Promise<StubDaemon> {
  const seen: { verb: Verb; request: SeenRequest }[] = [];
  const server = new Server({ "grpc.max_receive_message_length": -1 });
  const verbs = ["Add", "Del", "Check", "Gc", "Status"] as const;
  const definition = Object.fromEntries(verbs.map((verb) => [verb, method(verb)])) as unknown as ServiceDefinition;
  const implementation = Object.fromEntries(
    verbs.map((verb) => [
      verb,
      (call: ServerUnaryCall<SeenRequest, object>, callback: sendUnaryData<object>) => {
        seen.push({ verb, request: call.request });
        const handle = handlers[verb] ?? ((_request, answer) => answer(null, {}));
        handle(call.request, callback, call);
      },
    ]),
  );
  server.addService(definition, implementation);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) =>
    error ? reject(error) : resolve(),
  );
  await promise;
  return { seen, server, [Symbol.asyncDispose]: async () => server.forceShutdown() };
}

const method = (verb: Verb) => ({
  path: `/selvedge.v1.Node/${verb}`,
  requestStream: false,
  responseStream: false,
  requestDeserialize: (bytes: Buffer) => {
    const read = CniRequest.toObject(CniRequest.decode(bytes), { defaults: true, longs: Number });
    return { ...read, config: Buffer.from(read.config).toString() };
  },
  requestSerialize: () => Buffer.alloc(0),
  responseSerialize: (reply: object) => Buffer.from(CniReply.encode(CniReply.fromObject(reply)).finish()),
  responseDeserialize: (bytes: Buffer) => bytes,
});
