/** NetworkAttachmentDefinitions: their own kind, as small as the standard has it (NPWG 1.3, section 3.1), and objects of it. */
export const DEFINITIONS_KIND = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "network-attachment-definitions.k8s.cni.cncf.io" },
  spec: {
    group: "k8s.cni.cncf.io",
    scope: "Namespaced",
    names: {
      plural: "network-attachment-definitions",
      singular: "network-attachment-definition",
      kind: "NetworkAttachmentDefinition",
      shortNames: ["net-attach-def"],
    },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: { spec: { type: "object", properties: { config: { type: "string" } } } },
          },
        },
      },
    ],
  },
};

/** @param config of `spec`, a text or what becomes one; absent: without */
export const definition = (name: string, config?: object | string, namespace = "shop") => ({
  apiVersion: "k8s.cni.cncf.io/v1",
  kind: "NetworkAttachmentDefinition",
  metadata: { namespace, name },
  spec: config === undefined ? {} : { config: typeof config === "string" ? config : JSON.stringify(config) },
});
