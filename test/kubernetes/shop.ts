/** What the cluster runs: pods that serve their names. */
import { serving, TOOLS } from "../runtimes/image.ts";

export const NAMESPACE = "shop";
export const POD_PORT = 8080;
export const HOST_PORT = 18080;
export const REPLICAS = 4;

interface More {
  readonly container?: object;
  readonly annotations?: Readonly<Record<string, string>>;
  /** How long it goes on when it is to end. */
  readonly graceSeconds?: number;
}

const template = (app: string, { container, annotations = {}, graceSeconds = 1 }: More): object => ({
  metadata: { labels: { app }, annotations },
  spec: {
    // What httpd is asked to do, as process 1, it does not: so long it is asked.
    terminationGracePeriodSeconds: graceSeconds,
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

export const daemonSet = (app: string, more: More): object => ({
  apiVersion: "apps/v1",
  kind: "DaemonSet",
  metadata: { namespace: NAMESPACE, name: app },
  spec: { selector: { matchLabels: { app } }, template: template(app, more) },
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
