// Which words of a command line are options, and which stand beside them. Ids begin with `-` as
// often as with any other letter, so a word with one dash in front is a word: no command has short
// options but `-h`. What looks like an option that was mistyped is told as one.

import type { ParseArgsConfig } from 'node:util';

type Options = NonNullable<ParseArgsConfig['options']>;

interface CommandLine {
  /** For `parseArgs`, each with its value in one word. */
  readonly options: string[];
  /** In the order in which they were typed; behind `--` all are words. */
  readonly words: string[];
}

/**
 * `hasWords`: something may stand beside the options; without, each word with a dash is an option,
 * and `parseArgs` does not know it. Errors: an `Error` of one line, where a word is an option but
 * for its second dash, or is one letter with a dash in front.
 */
export function parted(args: readonly string[], options: Options, hasWords: boolean): CommandLine {
  const end = args.indexOf('--');
  const typed = end < 0 ? args : args.slice(0, end);
  const line: CommandLine = { options: [], words: [] };
  for (let at = 0; at < typed.length; at++) {
    const word = typed[at] ?? '';
    const next = typed[at + 1];
    if (next !== undefined && !next.startsWith('--') && takesValue(word, options)) {
      line.options.push(`${word}=${asWord(next, options)}`);
      at++;
    } else if (word.startsWith('--') || (!hasWords && /^-./.test(word))) line.options.push(word);
    else line.words.push(asWord(word, options));
  }
  if (end >= 0) line.words.push(...args.slice(end + 1));
  return line;
}

function takesValue(word: string, options: Options): boolean {
  return word.startsWith('--') && optionOf(word.slice(2), options)?.type === 'string';
}

function asWord(word: string, options: Options): string {
  const [name = ''] = word.slice(1).split('=', 1);
  const isMistyped = optionOf(name, options) !== undefined;
  if (!/^-./.test(word) || (!isMistyped && !/^-[a-z]$/i.test(word))) return word;
  const advice = isMistyped ? `: --${name} has two dashes` : '';
  throw new Error(`Unknown option '-${name}'${advice}`);
}

function optionOf(name: string, options: Options): Options[string] | undefined {
  return Object.hasOwn(options, name) ? options[name] : undefined;
}
