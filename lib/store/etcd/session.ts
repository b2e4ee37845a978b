/** etcd's own authentication: a password buys a token, which goes with every request until etcd knows it no more. */
import { readFile } from "node:fs/promises";
import { SelvedgeError } from "#lib/errors.ts";

export interface Session {
  /** Undefined without a user. @param buy asks etcd @throws SelvedgeError store: the file cannot be read; and what `buy` throws */
  token(buy: (name: string, password: string) => Promise<string>): Promise<string | undefined>;
  /** The token is good no more. */
  over(): void;
}

export function session(user: string | undefined, passwordFile: string | undefined): Session {
  let token: Promise<string> | undefined;
  return {
    async token(buy) {
      if (user === undefined || passwordFile === undefined) return undefined;
      token ??= read(passwordFile).then((password) => buy(user, password));
      const mine = token;
      try {
        return await mine;
      } catch (error) {
        if (token === mine) token = undefined;
        throw error;
      }
    },
    over() {
      token = undefined;
    },
  };
}

/** The first line. */
async function read(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((cause: Error) => {
    throw new SelvedgeError({ kind: "store" }, `etcd: ${cause.message}`, {
      cause,
      hint: "cluster.store.etcd.passwordFile of the configuration names the file.",
    });
  });
  return text.split(/\r?\n/, 1)[0] ?? "";
}
