/** Commands' questions over the daemon's socket. */
import { call } from "#lib/api/client.ts";
import type { Ask } from "./command.ts";

export const askOver =
  ({ socket, deadlineMs }: { socket: string; deadlineMs: number }): Ask =>
  async (method, request) =>
    method.reply.decode(await call(socket, method.path, method.request.encode(request), { deadlineMs }));
