/** One change under one condition, as etcd's transactions say it. Keys as etcd has them. */
import type { Compare, PutRequest, TxnRequest } from "#proto/etcd_pb.ts";

/** rpc.proto, Compare: CompareResult EQUAL and CompareTarget MOD. */
const EQUAL = 0;
const MOD = 2;

/** A key that is not there was changed in revision 0. */
const changedIn = (key: string, modRevision: number): Compare => ({ result: EQUAL, target: MOD, key, modRevision });

/** `ifRevision` undefined: always. */
export const putting = (put: PutRequest, ifRevision: number | undefined): TxnRequest => ({
  compare: ifRevision === undefined ? [] : [changedIn(put.key, ifRevision)],
  success: [{ requestPut: put }],
  failure: [],
});

export const removing = (key: string, ifRevision: number | undefined): TxnRequest => ({
  compare: ifRevision === undefined ? [] : [changedIn(key, ifRevision)],
  success: [{ requestDeleteRange: { key } }],
  failure: [],
});

/** The first key that does not begin with `prefix`, whose last character is ASCII. */
export const endOf = (prefix: string): string =>
  prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
