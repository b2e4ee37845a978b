/**
 * A dump that lets everything else go on: the kernel's walk over its hash table takes milliseconds even when it finds
 * nothing (16 ms for the 262,144 buckets of a large node), so it runs on a thread of the pool, and between datagrams
 * the event loop has its turn.
 */
import { setImmediate as turn } from "node:timers/promises";
import { refused } from "#native/libc.ts";
import { receive, sendAsync } from "#native/socket.ts";
import { eachMessage, NLM_F, NLMSG, type Request, readError, writeMessage } from "../netlink/message.ts";
import { writer } from "../netlink/writer.ts";

const ANSWER_MS = 5000;
const BUFFER_BYTES = 128 * 1024;

/** Calls back with the body of each answer; it is valid during the call only. @throws SelvedgeError kernel */
export async function walk(fd: number, request: Request, each: (body: Uint8Array) => void): Promise<void> {
  const buffer = new Uint8Array(BUFFER_BYTES);
  const message = writer(256);
  writeMessage(message, request, 1, NLM_F.DUMP);
  await sendAsync(fd, message.bytes());
  for (;;) {
    const length = receive(fd, buffer, ANSWER_MS);
    for (const answer of eachMessage(buffer.subarray(0, length))) {
      if (answer.type === NLMSG.DONE) return;
      if (answer.type !== NLMSG.ERROR) each(answer.body);
      else {
        const { code, text } = readError(answer);
        throw refused(request.what, code, text);
      }
    }
    await turn();
  }
}
