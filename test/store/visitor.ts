/**
 * `node visitor.ts ENDPOINT...`: opens a store, uses all of it whether it answers or not, closes it in the midst of that,
 * and prints "closed". What was left open would keep the process.
 */
import { etcd } from "#lib/store/etcd/etcd.ts";

const shared = etcd({ endpoints: process.argv.slice(2), prefix: "/visit/", livenessSeconds: 3 });
const told = Promise.withResolvers<void>();
const watching = shared.watch(
  "",
  () => {},
  new AbortController().signal,
  () => told.resolve(),
);
await shared.put("alive/me", "1", { whileAlive: true }).catch(() => {});
await told.promise;
const unanswered = Promise.allSettled([shared.get("k"), shared.list(""), shared.put("k", "v")]);
await shared[Symbol.asyncDispose]();
await watching;
await unanswered;
process.stdout.write("closed");
