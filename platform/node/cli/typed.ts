// The words of a command line, parted into options and what stands beside them, and the values that
// an option may have. What is wrong is a UsageError whose message is one line and names the option.

import { type ParseArgsConfig, parseArgs } from 'node:util';
import { parted } from '../command-line.ts';
import { ServerUrlRefused, serverUrlOf } from '../server-url.ts';
import { UsageError } from './complaint.ts';

/** Kinds of options: a text, several, a switch. */
export const text = { type: 'string' } as const;
export const texts = { type: 'string', multiple: true, default: [] as string[] } as const;
export const flag = { type: 'boolean', default: false } as const;

/**
 * `names`: what the words beside the options are called; the last one may be left out if it ends in
 * `?`, and there may be more of it if it ends in `...?`. Errors: `UsageError`.
 */
export function parse<const T extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  names: readonly string[],
  options: T,
) {
  const { values, words } = asUsage(() => {
    const line = parted(args, options, names.length > 0);
    return { values: parseArgs({ args: line.options, options }).values, words: line.words };
  }, names);
  const isOpen = names[names.length - 1]?.endsWith('...?') === true;
  const extra = isOpen ? undefined : words[names.length];
  // What stands in the wrong place may be a login.
  const isPlain = extra !== undefined && /^[\w.-]{1,40}$/.test(extra);
  if (isPlain) throw new UsageError(`one word too many: ${JSON.stringify(extra)}`);
  if (extra !== undefined) throw new UsageError(`one word too many behind the options`);
  const missing = names[words.length];
  if (missing !== undefined && !missing.endsWith('?'))
    throw new UsageError(`${missing} is missing`);
  return { values, words };
}

function asUsage<T>(work: () => T, names: readonly string[] = []): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    if (error instanceof ServerUrlRefused) throw new UsageError(error.message);
    // Node's own words end with advice about `--` over several sentences.
    const line = (error as Error).message.split(/\.\s|\n/, 1)[0] ?? '';
    throw new UsageError(line + adviceFor(line, names));
  }
}

/** Ids and files may be called as an option is. */
function adviceFor(line: string, names: readonly string[]): string {
  const free = names.map((name) => /^(ID|FILE)\b/.exec(name)?.[0]).find((name) => name);
  if (free === undefined || !line.startsWith("Unknown option '")) return '';
  return `; ${free === 'ID' ? 'an ID' : 'a FILE'} that begins so stands behind a word --`;
}

export function needed(name: string, value: string | undefined): string {
  if (value !== undefined && value !== '') return value;
  throw new UsageError(`${name} is missing`);
}

export function urlOf(name: string, value: string | undefined, allowHttp: boolean): string {
  return asUsage(() => serverUrlOf(name, needed(name, value), { allowHttp, mayShow: true }));
}

/** Errors: `UsageError`. */
export function exclude(
  values: { readonly [name: string]: unknown },
  ...names: readonly string[]
): void {
  if (!names.every((name) => values[name])) return;
  throw new UsageError(`${names.map((name) => `--${name}`).join(' and ')} exclude each other`);
}

/** Errors: `UsageError`. */
export function wholeNumber(name: string, value: string, min: number, max: number): number {
  const number = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw new UsageError(`${name} must be a whole number from ${min} to ${max}, not "${value}"`);
}
