/** A port of 127.0.0.1 for what is to listen there later, and again after it was away. */
import { once } from "node:events";
import { createServer } from "node:net";

/** Below what Linux gives to connections of its own (net.ipv4.ip_local_port_range, 32768 and up): none takes it meanwhile. */
const [FIRST, LAST] = [20_000, 29_999] as const;

/** Processes that run side by side begin far from each other. */
let next = FIRST + ((process.pid * 97) % (LAST - FIRST + 1));

/** Each time another one; nobody listens there now. */
export async function freePort(): Promise<number> {
  for (let tries = FIRST; tries <= LAST; tries++) {
    const port = next;
    next = port === LAST ? FIRST : port + 1;
    if (await isFree(port)) return port;
  }
  throw new Error(`somebody listens on each of the ports ${FIRST} to ${LAST}`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
