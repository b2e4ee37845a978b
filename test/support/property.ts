/** fast-check, of which every run sees the same samples: what one run finds, the next finds, too. SELVEDGE_SEED gives others. */
import fc from "fast-check";

fc.configureGlobal({ seed: Number(process.env.SELVEDGE_SEED ?? 1) });

export { fc };
