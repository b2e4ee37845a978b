/** Routers as namespaces that a mount keeps: they outlive the daemon, and end with the machine. */
import { fstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { SelvedgeError } from "#lib/errors.ts";
import { endsWithContainer, makeNamespace, removeNamespace, showNamespace } from "#native/lasting-namespace.ts";
import { closeDescriptor, openNamespace } from "#native/namespace.ts";
import { linux } from "./linux.ts";
import type { Router, Routers } from "./routers.ts";

/** Others' namespaces may be mounted in the same directory (`ip netns` has /run/netns): only what begins so is ours. */
const PREFIX = "selvedge-";

/** @param directory where they are mounted, one file for each; made with the first */
export function linuxRouters(directory: string): Routers {
  const pathOf = (name: string): string => join(directory, `${PREFIX}${name}`);
  return {
    open: (name) => openRouter(name, pathOf(name)),
    names: () => namesIn(directory).filter((name) => isNamespace(pathOf(name))),
    remove: (name) => removeNamespace(pathOf(name)),
  };
}

function openRouter(name: string, netns: string): Router {
  if (!isNamespace(netns)) {
    if (endsWithContainer(netns)) throw notLasting(netns);
    makeNamespace(netns);
  }
  const kernel = linux({ netns });
  const fd = openNamespace(netns);
  const netnsInode = fd === undefined ? 0 : fstatSync(fd).ino;
  return {
    name,
    netns,
    netnsInode,
    kernel,
    show() {
      if (fd === undefined || kernel.namespaceInode(netns) === netnsInode) return false;
      showNamespace(fd, netns);
      return true;
    },
    async [Symbol.asyncDispose]() {
      await kernel[Symbol.asyncDispose]();
      if (fd !== undefined) closeDescriptor(fd);
    },
  };
}

const notLasting = (netns: string): SelvedgeError =>
  new SelvedgeError(
    { kind: "config-invalid", field: "tenants" },
    `${netns}: a tenant's router is a mount, and mounts that the daemon makes there end with its container or service`,
    {
      hint:
        "Its container has to be privileged, and that directory Bidirectional: `privileged: true` of the chart. " +
        "A unit of systemd has to be without ProtectSystem= and whatever else gives it mounts of its own.",
    },
  );

function isNamespace(path: string): boolean {
  const fd = openNamespace(path);
  if (fd !== undefined) closeDescriptor(fd);
  return fd !== undefined;
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).flatMap((file) => (file.startsWith(PREFIX) ? [file.slice(PREFIX.length)] : []));
  } catch {
    return [];
  }
}
