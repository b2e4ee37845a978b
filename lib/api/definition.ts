/** A generated service as grpc-js wants it defined. */
import type { ServiceDefinition } from "@grpc/grpc-js";
import type { Codec, Method } from "#proto/selvedge_pb.ts";

type AnyService = Readonly<Record<string, Method<unknown, unknown>>>;

/** What grpc-js calls a service definition, from the generated table. */
export function definition(service: object): ServiceDefinition {
  const write = (codec: Codec<unknown>) => (value: object) => codec.encode(value) as Buffer;
  const read = (codec: Codec<unknown>) => (bytes: Buffer) => codec.decode(bytes);
  return Object.fromEntries(
    Object.entries(service as AnyService).map(([name, { path, request, reply, streams, asksStream }]) => [
      name,
      {
        path,
        requestStream: asksStream === true,
        responseStream: streams === true,
        requestSerialize: write(request),
        requestDeserialize: read(request),
        responseSerialize: write(reply),
        responseDeserialize: read(reply),
      },
    ]),
  );
}
