import { type ExecFileException, execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "@jest/globals";
import { needing } from "./support/requirement.ts";

const top = dirname(import.meta.dirname);
const { version } = JSON.parse(readFileSync(join(top, "package.json"), "utf8")) as { version: string };

interface Outcome {
  readonly code: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program with nothing around it: no PATH, no environment, another directory. */
const alone = (program: string, ...args: string[]) =>
  new Promise<Outcome>((resolve) => {
    const done = (error: ExecFileException | null, stdout: string, stderr: string) =>
      resolve({ code: error?.code ?? 0, stdout, stderr });
    execFile(join(top, "dist", program), args, { env: {}, cwd: "/", timeout: 10_000 }, done);
  });

const build = (...args: string[]) =>
  new Promise<Outcome>((resolve) => {
    execFile(process.execPath, ["install/build.ts", ...args], { cwd: top }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });

const programs = ["selvedge", "selvedgectl", "selvedged"].map((name) => ({ name }));

const built = needing(...programs.map(({ name }) => ({ file: join(top, "dist", name) })));

built.each(programs)("$name --help, without Node, Bun or an environment", async ({ name }) => {
  const { code, stdout, stderr } = await alone(name, "--help");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(new RegExp(`^(usage: )?${name}\\b`, "im"));
});

built.each(programs)("$name --version", async ({ name }) => {
  expect(await alone(name, "--version")).toEqual({ code: 0, stdout: `${name} ${version}\n`, stderr: "" });
});

built("a second build has nothing to do", async () => {
  const lines = programs.map(({ name }) => `build: ${name} is up to date\n`).join("");
  await build();
  expect(await build()).toEqual({ code: 0, stdout: lines, stderr: "" });
});

test("a program that does not exist", async () => {
  expect(await build("selvedgex")).toEqual({
    code: 2,
    stdout: "",
    stderr: "build: unknown program selvedgex; there are selvedge, selvedgectl, selvedged\n",
  });
});
