// What a person typed after `kitsync sync`, `list` and the others, checked: options that can be run, or a UsageError
// whose message is one line. Reads no file, starts nothing.

import { resolve } from 'node:path';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import type { AgentConfig } from '../../../agent/index.ts';
import { UsageError } from './complaint.ts';
import { COLLECTIONS, PROTOCOLS } from './contents.ts';

export interface SyncOptions {
  readonly remote: AgentConfig['remote'];
  readonly credentialsFile: string;
  readonly directory: string;
  readonly collections: readonly string[];
  readonly readOnly: boolean;
  /** Gives an account without Sync data its first. */
  readonly initialize: boolean;
  /** Null: one pass and no more. */
  readonly intervalMs: number | null;
  readonly json: boolean;
}

export interface LocalOptions {
  readonly directory: string;
  readonly json: boolean;
  /** What stands beside the options. */
  readonly words: readonly string[];
}

export interface ListOptions extends LocalOptions {
  readonly prefix: string | null;
  readonly limit: number;
}

export interface ExportOptions extends LocalOptions {
  /** Null: the output. */
  readonly file: string | null;
}

export interface SignInOptions {
  /** The accounts server's pages, without a slash at the end. */
  readonly accountsUrl: string;
  readonly clientId: string;
  readonly redirectUrl: string;
  readonly credentialsFile: string;
  readonly email: string | null;
}

const text = { type: 'string' } as const;
const json = { type: 'boolean', default: false } as const;
const INTERVAL_MINUTES = 15;
const MINUTE_MS = 60_000;

export function parseSync(args: readonly string[]): SyncOptions {
  const { values } = parse(args, [], {
    'token-server': text,
    credentials: text,
    data: text,
    protocol: { type: 'string', default: 'sync15' },
    collections: { type: 'string', default: 'history,passwords' },
    interval: text,
    once: { type: 'boolean', default: false },
    'read-only': { type: 'boolean', default: false },
    initialize: { type: 'boolean', default: false },
    json,
  });
  if (values.once && values.interval !== undefined) {
    throw new UsageError('--once and --interval exclude each other');
  }
  const serverUrl = urlOf('--token-server', needed('--token-server', values['token-server']));
  const minutes =
    values.interval === undefined
      ? INTERVAL_MINUTES
      : wholeNumber('--interval', values.interval, 1, 10_080);
  return {
    remote: {
      protocol: oneOf('--protocol', values.protocol, PROTOCOLS),
      serverUrl,
      audience: `${new URL(serverUrl).origin}/`,
      auth: 'bearer',
    },
    credentialsFile: needed('--credentials', values.credentials),
    directory: resolve(needed('--data', values.data)),
    collections: values.collections
      .split(',')
      .map((name) => oneOf('--collections', name.trim(), COLLECTIONS)),
    readOnly: values['read-only'],
    initialize: values.initialize,
    intervalMs: values.once ? null : minutes * MINUTE_MS,
    json: values.json,
  };
}

/** `names`: what the words beside the options are called; the last one may be left out if it ends in `?`. */
export function parseLocal(args: readonly string[], names: readonly string[]): LocalOptions {
  const { values, words } = parse(args, names, { data: text, json });
  return localOptions(values, words);
}

export function parseList(args: readonly string[]): ListOptions {
  const options = {
    data: text,
    json,
    prefix: text,
    limit: { type: 'string', default: '20' },
  } as const;
  const { values, words } = parse(args, ['COLLECTION'], options);
  return {
    ...localOptions(values, words),
    prefix: values.prefix ?? null,
    limit: wholeNumber('--limit', values.limit, 1, 10_000_000),
  };
}

export function parseExport(args: readonly string[]): ExportOptions {
  const { values, words } = parse(args, [], { data: text, json, output: text });
  return { ...localOptions(values, words), file: values.output ?? null };
}

export function parseSignIn(args: readonly string[]): SignInOptions {
  const { values } = parse(args, [], {
    accounts: text,
    'client-id': text,
    redirect: text,
    credentials: text,
    email: text,
  });
  return {
    accountsUrl: urlOf('--accounts', needed('--accounts', values.accounts)),
    clientId: needed('--client-id', values['client-id']),
    redirectUrl: needed('--redirect', values.redirect),
    credentialsFile: needed('--credentials', values.credentials),
    email: values.email ?? null,
  };
}

function localOptions(
  values: { readonly data?: string | undefined; readonly json: boolean },
  words: readonly string[],
): LocalOptions {
  return { directory: resolve(needed('--data', values.data)), json: values.json, words };
}

function parse<const T extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  names: readonly string[],
  options: T,
) {
  const { values, positionals: words } = asUsage(() =>
    parseArgs({ args: [...args], options, allowPositionals: true }),
  );
  const extra = words[names.length];
  if (extra !== undefined) throw new UsageError(`one word too many: ${JSON.stringify(extra)}`);
  const missing = names[words.length];
  if (missing !== undefined && !missing.endsWith('?'))
    throw new UsageError(`${missing} is missing`);
  return { values, words };
}

function asUsage<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    // Node's own words end with advice about `--` over several sentences.
    throw new UsageError((error as Error).message.split(/[.\n]/, 1)[0] ?? '');
  }
}

function needed(name: string, value: string | undefined): string {
  if (value !== undefined && value !== '') return value;
  throw new UsageError(`${name} is missing`);
}

function urlOf(name: string, value: string): string {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url !== null && /^https?:$/.test(url.protocol)) return url.href.replace(/\/+$/, '');
  throw new UsageError(`${name} must be an http or https URL, not "${value}"`);
}

function wholeNumber(name: string, value: string, min: number, max: number): number {
  const number = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw new UsageError(`${name} must be a whole number from ${min} to ${max}, not "${value}"`);
}

function oneOf(name: string, value: string, words: readonly string[]): string {
  if (words.includes(value)) return value;
  throw new UsageError(`${name}: "${value}" is not one of ${words.join(', ')}`);
}
