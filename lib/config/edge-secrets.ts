/** The part of the edge's settings that says where secrets are. */
import { z } from "zod";
import { type Complaint, complaint, lookUp } from "./complaint.ts";
import { absolutePath, leaf, matching, ofFile, ofSecret, setting, withStructure, withTypeOfObject } from "./leaves.ts";
import { listAt } from "./overlaps.ts";
import type { Path } from "./yaml.ts";

const environment = leaf<string>(
  "a name of the environment such as EDGE1_KEY",
  (v) => typeof v === "string" && /^[A-Za-z_][A-Za-z0-9_]*$/.test(v),
);
/** RFC 1123, as Kubernetes has it for most names. */
const objectName = matching(
  "a name of small letters, digits, dashes and dots",
  /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/,
  253,
);
const namespace = matching("a name of small letters, digits and dashes", /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 63);
/** kubernetes.io, core/v1 Secret. */
const dataKey = matching("a key of letters, digits, dots, dashes and underscores", /^[-._a-zA-Z0-9]+$/, 253);

const WAYS = ["file", "environment", "secret"] as const;

const OF_OBJECT = "{secret: {name: edge1, key: api}}";

/** One of the three; of objects of Kubernetes the last: who writes one reads no file of a node by it. */
export const secretReference = ofSecret(
  withTypeOfObject(
    withStructure(
      z.strictObject(
        {
          file: ofFile(
            setting(absolutePath.optional(), "File whose first line it is; read again whenever it is used."),
          ),
          environment: ofFile(setting(environment.optional(), "Variable of the daemon's environment that holds it.")),
          secret: setting(
            z
              .strictObject(
                {
                  name: setting(objectName, "Of the Secret."),
                  namespace: setting(namespace.default("kube-system"), "That it is in."),
                  key: setting(dataKey, "Of its data; the first line of what is there counts."),
                },
                { error: "an object such as {name: edge1, key: api}" },
              )
              .optional(),
            "Secret of Kubernetes; read again every 30 seconds that it is used.",
          ),
        },
        { error: "an object such as {file: /etc/selvedge/edge1.key}" },
      ),
      { required: ["secret"] },
    ),
    `an object such as ${OF_OBJECT}`,
  ),
);

const needsOne = (at: Path): Complaint => ({
  ...complaint(at, "needs one of `file`, `environment` and `secret`"),
  textOfObject: complaint(at, `needs \`secret\`, as in ${OF_OBJECT}`).text,
});

/** @param path of the router */
export function secretMistakes(root: unknown, path: Path): Complaint[] {
  const sites = [...listAt(lookUp(root, path), "sites").keys()].map((i) => [...path, "sites", i]);
  const places = [
    [...path, "key"],
    [...path, "bgp", "password"],
    ...sites.flatMap((site) => [
      [...site, "wireguard", "privateKey"],
      [...site, "wireguard", "presharedKey"],
      [...site, "ipsec", "secret"],
    ]),
  ];
  return places.flatMap((at) => {
    const given = lookUp(root, at);
    if (given === undefined) return [];
    const ways = WAYS.filter((way) => lookUp(given, [way]) !== undefined);
    return [
      ...(ways.length === 1 ? [] : [needsOne(at)]),
      ...(ways.includes("secret") && lookUp(root, ["kubernetes"]) === undefined
        ? [complaint([...at, "secret"], "needs `kubernetes`: nothing says where the API server is")]
        : []),
    ];
  });
}
