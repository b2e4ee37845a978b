/**
 * wireguard-go, for a kernel without WireGuard: a program for each device, which it makes as a tun device and tells of on a
 * Unix socket. It outlives the daemon, so that pods' traffic does, too; when it dies its device goes, and is made anew.
 */
import { spawn } from "node:child_process";
import { createConnection } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ERRNO, refused } from "#native/libc.ts";
import type { Driver } from "./device.ts";
import { errnoIn, GET, readDevice, setText } from "./uapi.ts";

export interface UserspaceOptions {
  /** Command line that the name of the device is added to. */
  readonly command: readonly string[];
  /** Directory of the sockets; wireguard-go's own is /var/run/wireguard. */
  readonly sockets: string;
}

export interface UserspaceDriver extends Driver {
  /** Starts the program of a device, and waits until it answers. @throws SelvedgeError kernel */
  start(name: string): Promise<void>;
}

const STARTED_MS = 5_000;
const ANSWER_MS = 5_000;

export function userspaceDriver({ command, sockets }: UserspaceOptions): UserspaceDriver {
  const ask = (name: string, text: string) => exchange(join(sockets, `${name}.sock`), text);
  const read: Driver["read"] = async (name) => {
    const answer = await ask(name, GET);
    return answer === undefined ? undefined : readDevice(answer);
  };
  return {
    read,
    async write(name, change) {
      const answer = await ask(name, setText(change));
      const code = answer === undefined ? ERRNO.ENODEV : errnoIn(answer);
      if (code !== 0) throw refused(`wg set ${name}`, code);
    },
    async start(name) {
      const [program = "", ...rest] = command;
      const child = spawn(program, [...rest, name], {
        detached: true,
        stdio: "ignore",
        env: { WG_PROCESS_FOREGROUND: "1", PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
      });
      let ended: string | undefined;
      child.on("error", (error) => {
        ended = error.message;
      });
      child.on("exit", (code, signal) => {
        ended = `it ended with ${signal ?? `code ${code}`}`;
      });
      child.unref();
      for (const end = performance.now() + STARTED_MS; performance.now() < end; await sleep(10)) {
        if (ended !== undefined) throw refused(`start ${program} for ${name}`, ERRNO.ENODEV, ended);
        if ((await read(name)) !== undefined) return;
      }
      throw refused(`start ${program} for ${name}`, ERRNO.EAGAIN, `no answer at ${sockets} in ${STARTED_MS} ms`);
    },
  };
}

/** Undefined when nobody listens. */
function exchange(path: string, text: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    let answer = "";
    socket.setTimeout(ANSWER_MS, () => socket.destroy());
    socket.on("connect", () => socket.write(text));
    socket.on("data", (bytes) => {
      answer += bytes.toString();
      if (answer.endsWith("\n\n")) socket.end();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(answer.endsWith("\n\n") ? answer : undefined));
  });
}
