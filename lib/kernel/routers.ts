/**
 * Network namespaces of the node that are hosts of their own: a tenant's router. Two implementations, as of `Kernel`:
 * memory for tests (`fake.ts`), and namespaces kept by mounts.
 */
import type { Kernel } from "./kernel.ts";

export interface Router extends AsyncDisposable {
  readonly name: string;
  /** Where the namespace can be opened, as `Scope` wants it. */
  readonly netns: string;
  readonly netnsInode: number;
  /** Its host is the router's namespace. */
  readonly kernel: Kernel;
  /**
   * Mounts the namespace at its path again if somebody took it away; true when that was so. As long as this is not
   * disposed of, the namespace and all that is in it stay. @throws SelvedgeError kernel
   */
  show(): boolean;
}

export interface Routers {
  /** The router of that name, made when there is none. @throws SelvedgeError kernel, config-invalid (it would end with the container) */
  open(name: string): Router;
  /** Names of those that are there, whether or not they are open. */
  names(): string[];
  /** Takes the path away; the namespace ends when its `Router` is disposed of too. @throws SelvedgeError kernel */
  remove(name: string): void;
}
