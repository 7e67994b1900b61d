// What a person typed, checked: either options that can be run, or a UsageError whose message is
// one line. Reads the files that are named; starts nothing and writes nothing.

import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { parted } from '../platform/node/command-line.ts';
import { serverUrlOf, withoutUserInfo } from '../platform/node/server-url.ts';
import { type Expected, readExpected } from './expected.ts';
import { DEFAULT_PROFILE, loadProfile, type Profile } from './profiles.ts';
import type { Auth, Protocol } from './remote.ts';
import {
  authOf,
  byRemote,
  namesOf,
  offOf,
  type RemoteChoice,
  type RemoteChoices,
  remoteChoices,
} from './remote-options.ts';
import { sha256 } from './replay.ts';
import type { Off } from './rounds.ts';
import { readAccount, type SeedAccount } from './servers/store-file.ts';
import { UsageError } from './usage.ts';

export interface Edit {
  readonly collection: string;
  readonly op: 'put' | 'delete';
  /** For a deletion, its `id` is what counts. */
  readonly record: Readonly<Record<string, unknown>>;
}

export interface AccountFile {
  readonly seed: SeedAccount;
  /** Of the file. */
  readonly sha256: string;
  /** What the client that wrote the account said that it holds, if the file has it. */
  readonly expected: Expected | null;
}

/** Of a further remote. */
export interface OtherOptions extends RemoteChoice {
  readonly auth: Auth;
  /** Null: a made-up account of `records` records in each collection. */
  readonly account: AccountFile | null;
  readonly records: number;
  readonly serverUrl: string | null;
}

export interface EmulateOptions {
  readonly profile: Profile;
  /** Of the device's first remote, which the next members are about. */
  readonly name: string;
  readonly collections: readonly string[];
  /** Null: a synthetic account of `records` history records. */
  readonly account: AccountFile | null;
  readonly records: number;
  readonly protocol: Protocol;
  readonly auth: Auth;
  readonly others: readonly OtherOptions[];
  readonly off: readonly Off[];
  /** Remotes that the device signs out of in the end. */
  readonly signOut: readonly string[];
  readonly crypto: 'software' | 'device';
  /** The user comes with a phone: see `SetupOptions`. */
  readonly signIn: boolean;
  /** Records that apps of the device make, for a second one to restore; null: there is none. */
  readonly backup: number | null;
  /** Apps that the user of three devices has from the beginning; null: there is one device. */
  readonly household: number | null;
  /** A PiCL storage has ended the history of what the account had: the device reads its records. */
  readonly isCompacted: boolean;
  /** An outside server, in real time. */
  readonly serverUrl: string | null;
  /** Servers on other machines may be asked without encryption. */
  readonly allowHttp: boolean;
  readonly edits: readonly Edit[];
  /** SHA-256 of the file that they come from. */
  readonly editsSha256: string | null;
  readonly seed: number;
  /** The flash write at which the power is cut; null for never. */
  readonly cutAt: number | null;
  readonly firmwareDir: string | null;
  /** Stacks name file and line, as no device's do. */
  readonly keepDebug: boolean;
  readonly exportFile: string | null;
  readonly dumpFile: string | null;
  readonly traceFile: string | null;
  readonly json: boolean;
}

const SHIPPED_ACCOUNT = new URL('../test/fixtures/corpus-a.json', import.meta.url);

export function parseEmulate(args: readonly string[]): EmulateOptions {
  const text = { type: 'string' } as const;
  const texts = { type: 'string', multiple: true, default: [] as string[] } as const;
  const values = parse(args, {
    profile: text,
    account: texts,
    remote: texts,
    off: texts,
    'sign-out': texts,
    protocol: text,
    auth: texts,
    crypto: { type: 'string', default: 'software' },
    'sign-in': { type: 'boolean', default: false },
    server: texts,
    'allow-http': { type: 'boolean', default: false },
    apply: text,
    export: text,
    dump: text,
    seed: { type: 'string', default: '1' },
    cut: text,
    records: texts,
    backup: text,
    compacted: { type: 'boolean', default: false },
    trace: text,
    firmware: text,
    'keep-debug': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  });
  if (values.dump !== undefined && values.server.length > 0) {
    throw new UsageError('--dump needs the servers of the emulator: it excludes --server');
  }
  const choices = remoteChoices(values.remote, values.protocol);
  const signIn = values['sign-in'];
  const allowHttp = values['allow-http'];
  const [first, ...others] = remotesFrom(choices, values, { signIn, allowHttp });
  const collections = choices.flatMap((choice) => choice.collections);
  const backup = backupOf(values, choices);
  if (values.compacted && (first.protocol !== 'picl' || first.serverUrl !== null))
    throw new UsageError('--compacted is on a PiCL storage of the emulator: --protocol picl');
  const edits = values.apply === undefined ? null : readEdits(values.apply, collections);
  return {
    ...first,
    others,
    off: offOf(values.off, choices),
    signOut: namesOf('--sign-out', values['sign-out'], choices),
    profile: asUsage(() =>
      loadProfile(values.profile ?? (backup === null ? DEFAULT_PROFILE : PHONE)),
    ),
    backup,
    household: householdOf(values, choices, first.records),
    isCompacted: values.compacted,
    crypto: oneOf('--crypto', values.crypto, ['software', 'device']),
    signIn,
    allowHttp,
    edits: edits?.value ?? [],
    editsSha256: edits?.sha256 ?? null,
    seed: wholeNumber('--seed', values.seed, 0),
    cutAt: values.cut === undefined ? null : wholeNumber('--cut', values.cut, 1),
    firmwareDir: values.firmware ?? null,
    keepDebug: values['keep-debug'],
    exportFile: writablePath(values.export),
    dumpFile: writablePath(values.dump),
    traceFile: writablePath(values.trace),
    json: values.json,
  };
}

/** Records in each collection of a further remote, and apps of a first, if nobody says how many. */
const OTHER_RECORDS = '20';

const PHONE = 'firefox-os-phone-128mb';
/** What a phone has that is backed up, if nobody says how much. */
const BACKUP_RECORDS = 5_000;
/** What a backup has no use for: the first device has what its apps make, and the second that. */
const WITHOUT_BACKUP = ['account', 'records', 'apply', 'server', 'off', 'sign-out'] as const;

/** A device on a Kinto of which nothing else was said backs up. Errors: `UsageError`. */
function backupOf(
  values: { readonly backup?: string | undefined } & {
    readonly [name in (typeof WITHOUT_BACKUP)[number]]?: string | readonly string[] | undefined;
  },
  [{ protocol }, ...others]: RemoteChoices,
): number | null {
  const other = WITHOUT_BACKUP.find((name) => (values[name]?.length ?? 0) > 0);
  if (values.backup === undefined) {
    const isBare = other === undefined && others.length === 0;
    return protocol === 'kinto' && isBare ? BACKUP_RECORDS : null;
  }
  if (others.length > 0) throw new UsageError('--backup is of one remote, and there are several');
  if (protocol !== 'kinto') throw new UsageError('--backup is on a Kinto: --protocol kinto');
  if (other !== undefined) throw new UsageError(`--backup and --${other} exclude each other`);
  return wholeNumber('--backup', values.backup, 1, BACKUP_RECORDS_MAX);
}

const BACKUP_RECORDS_MAX = 1_000_000;

/** What a household has no use for. */
const WITHOUT_HOUSEHOLD = ['account', 'apply', 'server', 'off', 'sign-out'] as const;

/** On a server of Open Web Apps alone there are three devices, if nothing says otherwise. */
function householdOf(
  values: {
    readonly [name in (typeof WITHOUT_HOUSEHOLD)[number]]?: string | readonly string[] | undefined;
  },
  [{ protocol }, ...others]: RemoteChoices,
  records: number,
): number | null {
  if (protocol !== 'owa' || others.length > 0) return null;
  const isBare = WITHOUT_HOUSEHOLD.every((name) => (values[name]?.length ?? 0) === 0);
  return isBare ? records : null;
}

/** What was typed about each remote. */
function remotesFrom(
  choices: RemoteChoices,
  values: { readonly [name in 'account' | 'records' | 'server' | 'auth']: readonly string[] },
  { signIn, allowHttp }: { readonly signIn: boolean; readonly allowHttp: boolean },
): [OtherOptions, ...OtherOptions[]] {
  const accounts = byRemote(values.account, choices);
  const counts = byRemote(values.records, choices);
  const servers = byRemote(values.server, choices);
  const auths = byRemote(values.auth, choices);
  const optionsOf = (choice: RemoteChoice, isFirst: boolean): OtherOptions => {
    const { name } = choice;
    const [file, count, url] = [accounts.get(name), counts.get(name), servers.get(name)];
    if (file !== undefined && count !== undefined) {
      throw new UsageError('--account and --records exclude each other');
    }
    // What is made up is on no server outside.
    if (url !== undefined && !isFirst && file === undefined)
      throw new UsageError(`--account ${name}=FILE is missing: whose data that server has`);
    if (servers.size > 0 && url === undefined)
      throw new UsageError(`--server ${isFirst ? '' : `${name}=`}URL is missing: all or none`);
    const isNew = signIn && choice.protocol === 'kinto';
    if (isNew && (file ?? count ?? '0') !== '0') {
      throw new UsageError(
        '--sign-in to a Kinto makes a key, and finds nothing there: ' +
          `it excludes ${file === undefined ? '--records' : '--account'} of it`,
      );
    }
    const isOwa = choice.protocol === 'owa';
    const isMadeUp = count !== undefined || (file === undefined && (isOwa || !isFirst));
    return {
      ...choice,
      auth: authOf(choice, auths.get(name), signIn),
      account: isMadeUp ? null : readAccountFile(file),
      records: recordCount(count ?? ((isFirst && !isOwa) || isNew ? '0' : OTHER_RECORDS)),
      serverUrl:
        url === undefined
          ? null
          : asUsage(() => serverUrlOf('--server', url, { allowHttp, mayShow: true })),
    };
  };
  const [first, ...others] = choices;
  return [optionsOf(first, true), ...others.map((choice) => optionsOf(choice, false))];
}

function recordCount(text: string): number {
  return wholeNumber('--records', text, 0);
}

/** For an option of that name. Errors: UsageError. */
export function hostName(text: string): string {
  if (/^(?!-)[\w.-]{1,253}$/.test(text) || /^\[[\da-f:.]+\]$/i.test(text)) return text;
  throw new UsageError(`--host must be a name without a port, not ${JSON.stringify(text)}`);
}

/** For commands that take no options. */
export function parseNothing(args: readonly string[]): void {
  parse(args, {});
}

/** Null: the account that is shipped with the emulator. */
export function readAccountFile(path: string | undefined): AccountFile {
  const { value: file, sha256 } = readJson(path ?? SHIPPED_ACCOUNT);
  const name = path ?? 'the shipped account';
  return asUsage(() => {
    const seed = readAccount(file);
    const { expected } = file as { expected?: unknown };
    return { seed, sha256, expected: expected === undefined ? null : readExpected(expected) };
  }, `${name}: `);
}

function readEdits(
  path: string,
  collections: readonly string[],
): { value: Edit[]; sha256: string } {
  const { value: edits, sha256 } = readJson(path);
  if (!Array.isArray(edits)) throw new UsageError(`${path}: must be a JSON array of edits`);
  const value = edits.map((edit: Partial<Edit> | null, index): Edit => {
    const { collection, op, record } = edit ?? {};
    const where = `${path}: edit ${index + 1}`;
    if (typeof record !== 'object' || record === null || Array.isArray(record)) {
      throw new UsageError(`${where}: record must be an object`);
    }
    if (op === 'delete' && typeof record.id !== 'string') {
      throw new UsageError(`${where}: a deletion needs record.id`);
    }
    return {
      collection: oneOf(`${where}: collection`, collection, collections),
      op: oneOf(`${where}: op`, op, ['put', 'delete']),
      record,
    };
  });
  return { value, sha256 };
}

function readJson(path: string | URL): { value: unknown; sha256: string } {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${systemReason(error)}`);
  }
  try {
    return { value: JSON.parse(text), sha256: sha256(text) };
  } catch {
    throw new UsageError(`${path} is not JSON`);
  }
}

/** Refused before a long run and not after it. */
function writablePath(path: string | undefined): string | null {
  if (path === undefined) return null;
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch (error) {
    throw new UsageError(`cannot write ${path}: ${systemReason(error)}`);
  }
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError(`cannot write ${path}: it is a folder`);
  }
  return path;
}

/** The words of a failed system call, without its path. */
export function systemReason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const words: Record<string, string> = {
    ENOENT: 'there is no such file or folder',
    EISDIR: 'it is a folder',
    ENOTDIR: 'a part of the path is not a folder',
    EACCES: 'permission denied',
    ENOSPC: 'the disk is full',
  };
  return words[code ?? ''] ?? message;
}

/** Errors: UsageError, which names the limits. */
export function wholeNumber(name: string, text: string, min: number, max = 2 ** 31 - 1): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    throw new UsageError(`${name} must be a whole number from ${min} to ${max}, not "${text}"`);
  }
  return value;
}

function oneOf<T extends string>(name: string, value: unknown, words: readonly T[]): T {
  const word = words.find((candidate) => candidate === value);
  if (word === undefined) {
    throw new UsageError(`${name} must be ${words.join(' or ')}, not ${JSON.stringify(value)}`);
  }
  return word;
}

type OptionTable = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>;

/** Errors: UsageError. */
export function parse<const T extends OptionTable>(args: readonly string[], options: T) {
  const values = asUsage(() => {
    const line = parted(args, options, false);
    const parsed = parseArgs({ args: line.options, options });
    // Behind an option that is unknown nothing is expected, and nothing is to blame.
    const [word] = line.words;
    if (word !== undefined) throw new Error(`Unexpected argument '${word}'`);
    return parsed.values;
  });
  const empty = Object.entries(values).find(([, value]) => [value].flat().includes(''))?.[0];
  if (empty !== undefined) throw new UsageError(`--${empty} needs a value, which is empty here`);
  return values;
}

/** What `work` throws becomes a UsageError of one line. */
function asUsage<T>(work: () => T, prefix = ''): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const [line = ''] = String((error as Error).message).split('\n');
    throw new UsageError(prefix + withoutUserInfo(line));
  }
}
