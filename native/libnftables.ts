/**
 * libnftables: nft's own language, applied in this process. For the few texts that declare tables, chains and rules;
 * elements go over netlink.
 */
import koffi from "koffi";
import { SelvedgeError } from "#lib/errors.ts";
import { ERRNO } from "./libc.ts";
import { within } from "./namespace.ts";

/** Handles are opaque: a pointer as koffi gives it. */
interface Library {
  newContext(flags: number): unknown;
  freeContext(context: unknown): void;
  keepErrors(context: unknown): number;
  keepOutput(context: unknown): number;
  setOutput(context: unknown, flags: number): void;
  output(context: unknown): string;
  errors(context: unknown): string;
  run(context: unknown, text: string): number;
}

let loaded: Library | undefined;

/** Loaded at the first use, so that everything without a firewall works without it. @throws SelvedgeError kernel */
function library(): Library {
  if (loaded !== undefined) return loaded;
  let nft: ReturnType<typeof koffi.load>;
  try {
    nft = koffi.load("libnftables.so.1");
  } catch (cause) {
    throw new SelvedgeError({ kind: "kernel", call: "dlopen", errno: ERRNO.ENOENT }, "libnftables.so.1 is missing", {
      hint: "install the package libnftables1 (Debian, Ubuntu) or nftables (Fedora, Alpine, Arch)",
      cause,
    });
  }
  loaded = {
    newContext: nft.func("void *nft_ctx_new(uint32_t flags)"),
    freeContext: nft.func("void nft_ctx_free(void *context)"),
    keepErrors: nft.func("int nft_ctx_buffer_error(void *context)"),
    keepOutput: nft.func("int nft_ctx_buffer_output(void *context)"),
    setOutput: nft.func("void nft_ctx_output_set_flags(void *context, unsigned int flags)"),
    output: nft.func("const char *nft_ctx_get_output_buffer(void *context)"),
    errors: nft.func("const char *nft_ctx_get_error_buffer(void *context)"),
    run: nft.func("int nft_run_cmd_from_buffer(void *context, const char *text)"),
  };
  return loaded;
}

/**
 * Applies commands as one transaction, in the namespace `netns` or in the process's own: all of it or nothing. The
 * context, which caches the ruleset that it read, lives only for the call.
 * @throws SelvedgeError kernel, with what nft says of the first mistake
 */
export const runNft = (text: string, netns?: number): void => void run(text, 0, netns);

/** nftables/libnftables.h, NFT_CTX_OUTPUT_JSON (1.0.6). */
const OUTPUT_JSON = 1 << 4;

/** What `nft -j` prints of a listing. @throws SelvedgeError kernel (EINVAL also where the library was built without JSON) */
export const askNft = (text: string, netns?: number): string => run(text, OUTPUT_JSON, netns);

function run(text: string, outputFlags: number, netns: number | undefined): string {
  const nft = library();
  const context = within(netns, () => nft.newContext(0));
  if (context === null)
    throw new SelvedgeError({ kind: "kernel", call: "nft_ctx_new", errno: ERRNO.EPERM }, "nft_ctx_new: refused");
  try {
    nft.keepErrors(context);
    nft.keepOutput(context);
    nft.setOutput(context, outputFlags);
    // It opens sockets when it is made and again when it runs.
    if (within(netns, () => nft.run(context, text)) === 0) return nft.output(context);
    const said = nft.errors(context).trim().split("\n").slice(0, 3).join(" | ");
    throw new SelvedgeError({ kind: "kernel", call: "nft", errno: ERRNO.EINVAL }, `nft: ${said}`);
  } finally {
    nft.freeContext(context);
  }
}
