/** Routers in the memory of a fake kernel: as those of Linux they outlive whoever opened them. */
import type { FakeKernel } from "./fake.ts";
import type { Routers } from "./routers.ts";

export function fakeRouters(kernel: FakeKernel, directory = "/run/selvedge/tenants"): Routers {
  const made = new Set<string>();
  const pathOf = (name: string): string => `${directory}/${name}`;
  return {
    open(name) {
      const netns = pathOf(name);
      const netnsInode = kernel.namespaceInode(netns) ?? kernel.addNamespace(netns);
      made.add(name);
      // An open router holds its namespace, whatever becomes of the path.
      const descriptor = `/proc/self/fd/${name}`;
      kernel.addNamespace(descriptor, netnsInode);
      return {
        name,
        netns,
        netnsInode,
        kernel: kernel.hostAt(netns),
        show() {
          if (kernel.namespaceInode(netns) === netnsInode) return false;
          kernel.addNamespace(netns, netnsInode);
          return true;
        },
        [Symbol.asyncDispose]: async () => kernel.removeNamespace(descriptor),
      };
    },
    names: () => [...made].filter((name) => kernel.namespaceInode(pathOf(name)) !== undefined),
    remove(name) {
      kernel.removeNamespace(pathOf(name));
      made.delete(name);
    },
  };
}
