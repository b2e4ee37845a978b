/** What the cluster runs: pods that serve their names. */
import { serving, TOOLS } from "../runtimes/image.ts";

export const NAMESPACE = "shop";
export const POD_PORT = 8080;
export const HOST_PORT = 18080;
export const REPLICAS = 4;

interface More {
  readonly container?: object;
  readonly annotations?: Readonly<Record<string, string>>;
}

const template = (app: string, { container, annotations = {} }: More): object => ({
  metadata: { labels: { app }, annotations },
  spec: {
    // What httpd is asked to do, as process 1, it does not: so long it is asked.
    terminationGracePeriodSeconds: 1,
    // Half of them here, half of them there.
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: "kubernetes.io/hostname",
        whenUnsatisfiable: "DoNotSchedule",
        labelSelector: { matchLabels: { app } },
      },
    ],
    containers: [
      {
        name: "main",
        image: TOOLS,
        command: serving(POD_PORT),
        readinessProbe: { httpGet: { path: "/", port: POD_PORT }, periodSeconds: 1 },
        ...container,
      },
    ],
  },
});

const spec = (app: string, replicas: number, more: More = {}): object => ({
  replicas,
  selector: { matchLabels: { app } },
  template: template(app, more),
});

export const deployment = (app: string, replicas: number, more?: More): object => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { namespace: NAMESPACE, name: app },
  spec: spec(app, replicas, more),
});

/** Whose pods keep their addresses. */
export const statefulSet = (app: string, replicas: number): object => ({
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  metadata: { namespace: NAMESPACE, name: app },
  spec: {
    ...spec(app, replicas, { annotations: { "selvedge.dev/keep-address": "true" } }),
    serviceName: app,
    podManagementPolicy: "Parallel",
  },
});

/** @param more of its specification */
export const service = (app: string, more: object = {}): object => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { namespace: NAMESPACE, name: app },
  spec: { selector: { app }, ports: [{ port: 80, targetPort: POD_PORT }], ...more },
});
