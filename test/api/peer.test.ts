import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "@jest/globals";
import { emptyHandlers } from "#lib/api/empty-handlers.ts";
import { serve } from "#lib/api/server.ts";
import type { Event } from "#lib/log.ts";
import { peerCredentials } from "#native/socket.ts";
import { Admin, Node } from "#proto/selvedge_pb.ts";
import { BUILT } from "../../conformance/daemon.ts";
import { run } from "../../conformance/program.ts";
import { needing } from "../support/requirement.ts";

/** This user's and group's number on Debian; any but 0 would do. */
const NOBODY = 65_534;

/** Connects as another user and waits until the other side closes; gives the connecting process' id. */
const CONNECT =
  "import os,socket,sys; s=socket.socket(socket.AF_UNIX); s.settimeout(5); s.connect(sys.argv[1]); s.recv(1); print(os.getpid())";

needing("root", { program: "python3" })(
  "another user is turned away, even where the socket's mode would let it in",
  async () => {
    const directory = mkdtempSync(join(tmpdir(), "selvedge-peer-"));
    const socket = join(directory, "d.sock");
    const events: Event[] = [];
    const serving = await serve({
      socket,
      node: emptyHandlers(Node),
      admin: emptyHandlers(Admin),
      credentials: peerCredentials,
      log: (e) => events.push(e),
    });
    try {
      const as = (uid: number) =>
        promisify(execFile)("python3", ["-c", CONNECT, socket], { uid, gid: uid, cwd: "/", timeout: 10_000 });
      chmodSync(directory, 0o755);
      await expect(as(NOBODY)).rejects.toThrow("PermissionError");
      expect(events).toEqual([]);
      chmodSync(socket, 0o666);
      const { stdout } = await as(NOBODY);
      expect(events).toEqual([{ event: "peer-refused", uid: NOBODY, pid: Number(stdout) }]);
    } finally {
      await serving.close(0);
      rmSync(directory, { recursive: true });
    }
  },
);

/** Becomes another user with a program that is open already, wherever that lies. */
const RUN = `
import os, sys
program = os.open(sys.argv[1], os.O_RDONLY)
os.setgroups([]), os.setgid(${NOBODY}), os.setuid(${NOBODY})
os.execve(program, ["selvedgectl", "status"], {"SELVEDGE_SOCKET": sys.argv[2]})
`;
needing(
  "root",
  { program: "python3" },
  { file: join(BUILT, "selvedgectl") },
)("another user's selvedgectl says that it takes root", async () => {
  const directory = mkdtempSync(join(tmpdir(), "selvedge-peer-"));
  const socket = join(directory, "d.sock");
  const [node, admin] = [emptyHandlers(Node), emptyHandlers(Admin)];
  const serving = await serve({ socket, node, admin, credentials: peerCredentials, log: () => {} });
  try {
    chmodSync(directory, 0o755);
    const ctl = () => run(["python3", "-c", RUN, join(BUILT, "selvedgectl"), socket]);
    const hint = "\nIts socket is open to root alone: run this as root.\n";
    const said = `selvedgectl: selvedged does not answer at ${socket}: `;
    expect(await ctl()).toMatchObject({ exit: 3, stdout: "", stderr: `${said}EACCES${hint}` });
    chmodSync(socket, 0o666);
    expect(await ctl()).toMatchObject({ exit: 3, stdout: "", stderr: expect.stringMatching(`^${said}.+${hint}$`) });
    rmSync(socket);
    expect((await ctl()).stderr).toContain(`${said}ENOENT\nIs selvedged running?`);
  } finally {
    await serving.close(0);
    rmSync(directory, { recursive: true });
  }
});
