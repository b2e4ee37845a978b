/** Networks of the daemon's configuration, and how many interfaces of pods are on each. */
import { Admin } from "#proto/selvedge_pb.ts";
import { type Command, WORDLESS } from "./command.ts";
import { table } from "./table.ts";

export const networks: Command = {
  ...WORDLESS,
  summary: "Networks of the configuration, and who is on them.",
  options: {},
  async run(ask) {
    const list = await ask(Admin.listNetworks, {});
    return {
      json: list,
      lines: (style, width) =>
        list.networks.length === 0
          ? ["no networks"]
          : table(
              [
                { heading: "NETWORK", cut: true },
                { heading: "TYPE" },
                { heading: "POOLS" },
                { heading: "TENANT", cut: true },
                { heading: "PLANES" },
                { heading: "EXPOSED" },
                { heading: "INTERFACES", right: true },
              ],
              list.networks.map(({ name, attachment, pools, tenant, planes, expose, interfaces }) => [
                name,
                attachment,
                pools,
                tenant === "" ? "-" : tenant,
                planes,
                expose ? "yes" : "no",
                String(interfaces),
              ]),
              style,
              width,
            ),
    };
  },
};
