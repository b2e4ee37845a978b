/** A kubeconfig (kubernetes.io, "Organizing Cluster Access Using kubeconfig Files"): its current context. */
import { dirname, resolve } from "node:path";
import { parse, YAMLParseError } from "yaml";
import { SelvedgeError } from "#lib/errors.ts";
import { absent, type Found, fields, list, optional, refuse, root, text } from "#lib/parse.ts";
import { type Access, type ReadAccess, textIn } from "./access.ts";

/** What needs a program or a person to answer is nothing for a daemon. */
const NOT_FOR_US = ["exec", "auth-provider", "username", "password"] as const;

/** @throws SelvedgeError config-invalid, when it is read, naming the field of the file */
export const kubeconfig =
  (file: string): ReadAccess =>
  async () => {
    const at = fields(document(file, await textIn(file)));
    const context = fields(named(at("contexts"), text(at("current-context")), "context"));
    const cluster = fields(named(at("clusters"), text(context("cluster")), "cluster"));
    const user = fields(named(at("users"), text(context("user")), "user"));
    if (cluster("insecure-skip-tls-verify").value === true)
      refuse(cluster("insecure-skip-tls-verify"), "left out: the server's certificate is always checked");
    for (const key of NOT_FOR_US)
      if (!absent(user(key)))
        refuse(user(key), "left out: a token, tokenFile or client-certificate is what a daemon can use");
    const [ca, certificate, key] = await Promise.all([
      pem(cluster("certificate-authority-data"), cluster("certificate-authority"), file),
      pem(user("client-certificate-data"), user("client-certificate"), file),
      pem(user("client-key-data"), user("client-key"), file),
    ]);
    const tokenFile = optional(user("tokenFile"), text);
    const token =
      tokenFile === undefined
        ? optional(user("token"), text)
        : (await textIn(resolve(dirname(file), tokenFile))).trim();
    const serverName = optional(cluster("tls-server-name"), text);
    return {
      server: serverUrl(cluster("server")),
      ...(ca === undefined ? {} : { ca }),
      ...(serverName === undefined ? {} : { serverName }),
      ...(certificate === undefined ? {} : { certificate }),
      ...(key === undefined ? {} : { key }),
      ...(token === undefined ? {} : { token }),
    } satisfies Access;
  };

function document(file: string, yaml: string): Found {
  try {
    return root(parse(yaml), file);
  } catch (cause) {
    if (!(cause instanceof YAMLParseError)) throw cause;
    throw new SelvedgeError({ kind: "config-invalid", field: file }, `${file}: ${cause.message}`, { cause });
  }
}

/** `clusters: [{name, cluster}]`, and so on. */
function named(found: Found, name: string, kind: string): Found {
  const one = list(found).find((each) => fields(each)("name").value === name);
  return one === undefined ? refuse(found, `a list with the ${kind} ${JSON.stringify(name)}`) : fields(one)(kind);
}

function serverUrl(found: Found): URL {
  const written = text(found);
  const url = URL.canParse(written) ? new URL(written) : undefined;
  return url?.protocol === "https:" ? url : refuse(found, 'a URL such as "https://192.0.2.1:6443"');
}

/** Data wins over a file, as in client-go. */
async function pem(data: Found, path: Found, kubeconfigFile: string): Promise<string | undefined> {
  if (!absent(data)) return Buffer.from(text(data), "base64").toString();
  if (absent(path)) return undefined;
  return textIn(resolve(dirname(kubeconfigFile), text(path)));
}
