/** wireguard-go for the nodes of the rig, and keys for each. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { WireguardOptions } from "#lib/kernel/linux/wireguard.ts";
import { PUBLIC_KEYS } from "../support/keys.ts";
import type { Keys, Name } from "./rig.ts";

/** Built by test/wireguard-go.sh. */
export const PROGRAM = join(import.meta.dirname, "..", "..", ".cache", "wireguard", "wireguard");

const port = 51_830;
export const KEYS: Keys = {
  n1: { publicKeys: [PUBLIC_KEYS[0]], port },
  n2: { publicKeys: [PUBLIC_KEYS[1]], port },
  n3: { publicKeys: [PUBLIC_KEYS[2]], port },
};

/**
 * The nodes share one file system, and wireguard-go has one directory for its sockets: each sees its own there.
 * @param directory with the private halves
 */
export const onNode =
  (directory: string) =>
  (name: Name): WireguardOptions => {
    const sockets = join(directory, name);
    mkdirSync(sockets, { recursive: true });
    const script = 'mkdir -p /var/run/wireguard && mount --bind "$0" /var/run/wireguard && exec "$1" "$2"';
    const command = ["nsenter", `--net=/run/netns/${name}`, "unshare", "--mount", "sh", "-c", script, sockets, PROGRAM];
    return { keys: directory, userspace: { command, sockets } };
  };
