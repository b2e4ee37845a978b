/** One question to kubelet, on one of its sockets. */
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { definition } from "#lib/api/definition.ts";
import { SelvedgeError } from "#lib/errors.ts";

/** How long kubelet may take to answer, ms. */
const ANSWER_MS = 5_000;
/** Of what kubelet lists, as its own clients have it, bytes (k8s.io/kubernetes/pkg/kubelet/apis/podresources). */
const LARGEST_BYTES = 16 << 20;

/**
 * @param service of the generated ones; `method` is one of its unary methods
 * @throws SelvedgeError not-ready: kubelet is away or refuses, with `what` it does not do
 */
export async function askKubelet<Reply>(
  socket: string,
  service: object,
  method: string,
  request: object,
  what: string,
): Promise<Reply> {
  const found = definition(service)[method];
  if (found === undefined) throw new TypeError(`there is no method ${method}`);
  const client = new Client(`unix:${socket}`, credentials.createInsecure(), {
    "grpc.max_receive_message_length": LARGEST_BYTES,
  });
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  client.makeUnaryRequest(
    found.path,
    found.requestSerialize,
    found.responseDeserialize,
    request,
    { deadline: Date.now() + ANSWER_MS },
    (error: ServiceError | null, reply?: Reply) => {
      if (error === null) resolve(reply as Reply);
      else reject(new SelvedgeError({ kind: "not-ready" }, `${socket}: kubelet does not ${what}: ${error.details}`));
    },
  );
  try {
    return await promise;
  } finally {
    client.close();
  }
}
