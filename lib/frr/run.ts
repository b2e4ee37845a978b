/** A program of FRR's, run to its end. */
import { execFile } from "node:child_process";
import { stripVTControlCharacters } from "node:util";
import { SelvedgeError } from "#lib/errors.ts";

/** What `show running-config` says may be as large, bytes. */
const LARGEST = 64 * 1024 * 1024;
/** What Debian has it in; frr-reload.py calls vtysh. */
const PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

export const speakerError = (message: string, cause?: unknown, hint?: string): SelvedgeError =>
  new SelvedgeError({ kind: "speaker" }, `FRR: ${message}`, {
    ...(cause === undefined ? {} : { cause }),
    ...(hint === undefined ? {} : { hint }),
  });

/** FRR repeats lines that it does not understand, passwords among them. */
const withoutSecrets = (text: string): string => text.replaceAll(/(\bpassword\s).*/g, "$1(secret)");

/** Without the time and the colours of frr-reload.py: the same trouble in the same words. */
const plain = (text: string): string =>
  stripVTControlCharacters(text).replaceAll(/^\d{4}-\d\d-\d\d [\d:,]+ +(?=[A-Z]+: )/gm, "");

/** @returns what it wrote @throws SelvedgeError speaker with what it said */
export function run(program: string, args: readonly string[], timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: timeoutMs, maxBuffer: LARGEST, env: { PATH } };
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const { code, killed } = error;
      if (code === "ENOENT")
        return reject(speakerError(`there is no ${program}`, error, "Install the packages frr and frr-pythontools."));
      const said = withoutSecrets(plain(`${stdout}${stderr}`))
        .trim()
        .split("\n")
        .slice(-5)
        .join("\n");
      // Not with its cause, which has all that was said.
      reject(
        speakerError(
          killed ? `${program} did not end in ${timeoutMs} ms` : `${program}: ${said || `it ended with ${code}`}`,
        ),
      );
    });
  });
}
