/**
 * `npm run build [-- [--version VERSION] [--into DIRECTORY] [NAME...]]`: the programs, one file each, none of which needs Node or
 * Bun on the machine that runs it; of the version that package.json says, into dist, unless it is said.
 *
 * selvedge and selvedgectl are compiled by Bun (a start of milliseconds counts at each pod); selvedged is a bundle
 * inside a copy of the pinned Node. A program whose inputs have not changed is not built again, and a finished one
 * takes its place by rename, so that a running one is never disturbed.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  createReadStream,
  createWriteStream,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";

const top = dirname(import.meta.dirname);
const { version: released } = JSON.parse(readFileSync(join(top, "package.json"), "utf8")) as { version: string };
const {
  values: { version, into },
  positionals: names,
} = parseArgs({
  allowPositionals: true,
  options: {
    version: { type: "string", default: released },
    into: { type: "string", default: join(top, "dist") },
  },
});
const dist = resolve(into);

interface Program {
  readonly entry: string;
  build(entry: string, output: string, scratch: string): Promise<void>;
}

const PROGRAMS: Readonly<Record<string, Program>> = {
  selvedge: { entry: "cmd/cni.ts", build: compileWithBun },
  selvedgectl: { entry: "cmd/ctl.ts", build: compileWithBun },
  selvedged: { entry: "cmd/daemon.ts", build: embedInNode },
};

/** Whatever a program may be made of; the lock stands for all packages, Node and Bun included. */
const INPUTS = [
  "cmd/**",
  "lib/**",
  "native/**",
  "proto/**",
  "install/*.{ts,json}",
  "package.json",
  "package-lock.json",
];

/** What the programs print for --version; from source they say "development". */
const DEFINE = `--define=SELVEDGE_VERSION=${JSON.stringify(version)}`;

/** What the program says of its failure goes to standard error as it is. */
function run(file: string, ...args: string[]): void {
  const { status, signal, error } = spawnSync(join(top, "node_modules/.bin", file), args, {
    cwd: top,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (status !== 0) throw error ?? new Error(`${file} ended with ${signal ?? status}`);
}

/** Bytecode saves the parsing; without autoload Bun does not look for .env and bunfig.toml in the caller's directory. */
async function compileWithBun(entry: string, output: string): Promise<void> {
  const start = ["--bytecode", "--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig"];
  run("bun", "build", "--compile", "--minify", "--format=esm", DEFINE, ...start, `--outfile=${output}`, entry);
  // Written again, at once: then it lies in the page cache in large folios, and a start has fewer page faults.
  writeFileSync(output, readFileSync(output));
}

/** Names are kept (syntax alone is minified): stack traces in the daemon's log stay readable. */
async function embedInNode(entry: string, output: string, scratch: string): Promise<void> {
  const bundle = join(scratch, "bundle.mjs");
  const config = join(scratch, "sea.json");
  const executable = join(scratch, "executable");
  const target = ["--target=node", "--format=esm", "--minify-syntax", DEFINE];
  run("bun", "build", ...target, "--tsconfig-override=install/tsconfig.bundle.json", `--outfile=${bundle}`, entry);
  const sea = {
    main: bundle,
    mainFormat: "module",
    output: executable,
    disableExperimentalSEAWarning: true,
    useCodeCache: true,
    // NODE_OPTIONS of whoever starts the daemon are not ours.
    execArgvExtension: "none",
    // A daemon that mostly waits: its heap grows in small steps. At 1,000 attachments that is 40 MiB less.
    execArgv: [
      "--disable-warning=ExperimentalWarning",
      "--max-semi-space-size=1",
      "--optimize-for-size",
      "--expose-gc",
    ],
    assets: { "koffi.node": koffiLibrary() },
  };
  writeFileSync(config, JSON.stringify(sea));
  // V8 rejects cached code that was made under other flags of this kind.
  run("node", "--optimize-for-size", "--expose-gc", `--build-sea=${config}`);
  // Copied in small pieces: a file written at once lies in the page cache in large folios, of which every page fault
  // maps one whole, and the daemon's resident memory is 30 MB higher.
  await pipeline(createReadStream(executable), createWriteStream(output));
}

/** The prebuilt library that koffi ships for this machine; the pinned Node is linked with glibc. */
function koffiLibrary(): string {
  const require = createRequire(createRequire(import.meta.url).resolve("koffi"));
  const loader = require.resolve(`@koromix/koffi-${process.platform}-${process.arch}`);
  return join(dirname(loader), `${process.platform}_${process.arch}`, "koffi.node");
}

function hashOfInputs(): string {
  const hash = createHash("sha256").update(`${version}\0`);
  const files = globSync(INPUTS, { cwd: top, exclude: ["**/*.test.ts"], withFileTypes: true })
    .filter((found) => found.isFile())
    .map((found) => join(found.parentPath, found.name));
  for (const file of files.toSorted()) hash.update(`${file}\0`).update(readFileSync(file)).update("\0");
  return hash.digest("hex");
}

async function build(name: string, program: Program, inputs: string): Promise<void> {
  const output = join(dist, name);
  const stamp = join(dist, `.${name}.inputs`);
  if (existsSync(output) && existsSync(stamp) && readFileSync(stamp, "utf8") === inputs) {
    console.log(`build: ${name} is up to date`);
    return;
  }
  const started = performance.now();
  const scratch = mkdtempSync(join(dist, `.${name}-`));
  try {
    const made = join(scratch, name);
    await program.build(program.entry, made, scratch);
    chmodSync(made, 0o755);
    renameSync(made, output);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  writeFileSync(stamp, inputs);
  console.log(`build: ${relative(top, output)} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

const unknown = names.filter((name) => !Object.hasOwn(PROGRAMS, name));
if (unknown.length > 0) {
  console.error(`build: unknown program ${unknown.join(", ")}; there are ${Object.keys(PROGRAMS).join(", ")}`);
  process.exitCode = 2;
} else {
  mkdirSync(dist, { recursive: true });
  const inputs = hashOfInputs();
  for (const [name, program] of Object.entries(PROGRAMS))
    if (names.length === 0 || names.includes(name))
      await build(name, program, inputs).catch((error: Error) => {
        console.error(`build: ${name} failed: ${error.message}`);
        process.exitCode = 1;
      });
}
