/** What makes pods of Deployments and StatefulSets, service accounts and endpoints, and says where pods run. */
import { join } from "node:path";
import { stop } from "../../conformance/program.ts";
import { type ControlPlane, PROGRAMS } from "./control-plane.ts";
import { logged } from "./logged.ts";

/** @param of a control plane that was started with `controllers` */
export function startControllers({ files }: ControlPlane): AsyncDisposable {
  const begin = (name: string, argv: readonly string[]) =>
    logged(join(files.directory, `${name}.log`), [
      join(PROGRAMS, name),
      `--kubeconfig=${files.admin}`,
      "--leader-elect=false",
      ...argv,
    ]);
  const programs = [
    begin("kube-controller-manager", [
      `--root-ca-file=${files.ca}`,
      `--service-account-private-key-file=${files.accountKey}`,
      "--allocate-node-cidrs=false",
      "--secure-port=0",
    ]),
    begin("kube-scheduler", ["--secure-port=0"]),
  ];
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(programs.map((each) => stop(each)));
    },
  };
}
