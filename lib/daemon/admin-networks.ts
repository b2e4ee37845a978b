/** The part of the Admin service that is about networks of the configuration. */
import type { AdminHandlers } from "#lib/api/server.ts";
import { fields, root } from "#lib/parse.ts";
import type { AttachmentRecord } from "#lib/store/store.ts";
import type { Core } from "./core.ts";

export const adminNetworks = (core: Core): Pick<AdminHandlers, "listNetworks"> => ({
  async listNetworks() {
    const used = Map.groupBy(
      [...core.table].flatMap((record) => networksOf(record)),
      (name) => name,
    );
    return {
      networks: [...core.config.networks.values()].map(({ name, attachment, pools, tenant = "", expose, planes }) => ({
        name,
        attachment,
        pools: [...pools],
        tenant,
        expose,
        planes: planes.map(({ network }) => network),
        interfaces: used.get(name)?.length ?? 0,
      })),
    };
  },
});

/** One for each interface: by their names where there are several, else by what the plugin was given. */
const networksOf = ({ planes, config }: AttachmentRecord): unknown[] =>
  planes === undefined ? [fields(root(JSON.parse(config)))("network").value] : planes.map(({ name }) => name);
