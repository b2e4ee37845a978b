/** Shell completion, derived from the commands. */
import { type Command, type Option, UsageError } from "./command.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

type Commands = Readonly<Record<string, Command>>;
type Options = Readonly<Record<string, Option>>;

/** A script that the shell sources. @throws UsageError for another shell */
export function completion(shell: string, commands: Commands, everywhere: Options): string {
  const known = SHELLS.find((name) => name === shell);
  if (known === undefined) throw new UsageError(`no completion for "${shell}"; there is one for ${SHELLS.join(", ")}`);
  return SCRIPTS[known](commands, everywhere);
}

const SCRIPTS = { bash, zsh, fish } as const satisfies Record<Shell, (c: Commands, o: Options) => string>;

const flags = (options: Options): string[] => Object.keys(options).map((name) => `--${name}`);
const wordsOf = (command: Command, everywhere: Options): string =>
  [...command.choices, ...flags(command.options), ...flags(everywhere)].join(" ");

function bash(commands: Commands, everywhere: Options): string {
  const cases = Object.entries(commands).map(
    ([name, command]) => `    ${name}) words="${wordsOf(command, everywhere)}" ;;`,
  );
  return `# selvedgectl completion for bash: source <(selvedgectl completion bash)
_selvedgectl() {
  local words word command="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case $word in -*) ;; *) command=$word; break ;; esac
  done
  case $command in
${cases.join("\n")}
    *) words="${[...Object.keys(commands), ...flags(everywhere)].join(" ")}" ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}")
}
complete -F _selvedgectl selvedgectl
`;
}

/** Inside single quotes, for zsh and fish alike, a quote ends the text. */
const quoted = (text: string): string => `'${text.replaceAll("'", "’")}'`;
/** What zsh's _describe gets has a colon between a word and its description. */
const withoutColons = (text: string): string => text.replaceAll(":", "\\:");

function zsh(commands: Commands, everywhere: Options): string {
  const list = Object.entries(commands).map(
    ([name, { summary }]) => `    ${quoted(`${withoutColons(name)}:${withoutColons(summary)}`)}`,
  );
  const cases = Object.entries(commands).map(
    ([name, command]) => `    ${name}) compadd -- ${wordsOf(command, everywhere)} ;;`,
  );
  return `#compdef selvedgectl
# selvedgectl completion for zsh: source <(selvedgectl completion zsh)
_selvedgectl() {
  local -a commands
  commands=(
${list.join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    compadd -- ${flags(everywhere).join(" ")}
    return
  fi
  case $words[2] in
${cases.join("\n")}
  esac
}
compdef _selvedgectl selvedgectl
`;
}

function fish(commands: Commands, everywhere: Options): string {
  const option = (when: string, [name, { value, meaning }]: [string, Option]) =>
    `complete -c selvedgectl ${when}-l ${name}${value === undefined ? "" : " -x"} -d ${quoted(meaning)}`;
  const lines = Object.entries(commands).flatMap(([name, command]) => {
    const here = `-n '__fish_seen_subcommand_from ${name}' `;
    return [
      `complete -c selvedgectl -n __fish_use_subcommand -a ${name} -d ${quoted(command.summary)}`,
      ...(command.choices.length > 0 ? [`complete -c selvedgectl ${here}-a '${command.choices.join(" ")}'`] : []),
      ...Object.entries(command.options).map((entry) => option(here, entry)),
    ];
  });
  return `# selvedgectl completion for fish: selvedgectl completion fish | source
complete -c selvedgectl -f
${[...Object.entries(everywhere).map((entry) => option("", entry)), ...lines].join("\n")}
`;
}
