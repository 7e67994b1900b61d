// What a person typed after `kitsync sync`, `list` and the others, checked: options that can be
// run, or a UsageError whose message is one line. Reads no file, starts nothing.

import { resolve } from 'node:path';
import type { AgentConfig } from '../../../agent/index.ts';
import { parsedUrl } from '../../parsed-url.ts';
import { VERSIONS, type Version } from '../vcard/writer.ts';
import { UsageError } from './complaint.ts';
import { KINTO, OWA } from './contents.ts';
import { kintoUrl, owaUrl } from './credentials.ts';
import { type Device, deviceNamed } from './device.ts';
import {
  KINTO_ACCOUNT,
  KINTO_ONLY,
  type KintoSignInOptions,
  kintoOptions,
} from './kinto-options.ts';
import { OWA_ACCOUNT, type OwaSignInOptions, owaOptions } from './owa-options.ts';
import { isNamedBySignIn, originOf, type Service, servicesOf } from './service.ts';
import { type TypedStrategies, typedStrategies } from './strategies.ts';
import { exclude, flag, needed, parse, text, texts, urlOf, wholeNumber } from './typed.ts';

export interface SyncOptions {
  /** What the plain options are about in front; the others by name. */
  readonly services: readonly [Service, ...Service[]];
  /** Other machines may be asked without encryption. */
  readonly allowHttp: boolean;
  readonly directory: string;
  readonly readOnly: boolean;
  /** How the account's other devices see this one; null: not at all. */
  readonly device: Device | null;
  readonly strategies: TypedStrategies;
  /** Gives an account without Sync data its first. */
  readonly initialize: boolean;
  /** Whoever typed it has agreed to what would be asked. */
  readonly yes: boolean;
  /** Null: one pass and no more. */
  readonly intervalMs: number | null;
  readonly json: boolean;
}

export type DoctorOptions = Pick<SyncOptions, 'allowHttp' | 'json' | 'services'> & {
  /** Null: no folder is looked at. */
  readonly directory: string | null;
};

export interface LocalOptions {
  readonly directory: string;
  readonly json: boolean;
  /** Of one service of the folder, by name; null: of all, or of the first. */
  readonly remote: string | null;
  /** What stands beside the options. */
  readonly words: readonly string[];
}

export interface ListOptions extends LocalOptions {
  readonly prefix: string | null;
  readonly limit: number;
}

export interface ResolveOptions {
  readonly directory: string;
  readonly json: boolean;
  readonly collection: string;
  readonly id: string;
  /** Of the conflict that was looked at; null: whatever the versions are by now. */
  readonly tag: string | null;
  /** One of the versions; null: neither is to be left, or `recordText` is. */
  readonly version: 'ours' | 'theirs' | null;
  /** Another version, as JSON; `-`: the input has it; null: none. */
  readonly recordText: string | null;
}

export interface ContactsOptions {
  readonly action: 'import' | 'export';
  readonly directory: string;
  readonly json: boolean;
  /** What is read, at least one; or what is written, at most one. */
  readonly files: readonly string[];
  /** Of the cards that are written. */
  readonly version: Version;
}

export interface CheckOptions extends LocalOptions {
  /** The collections are fetched anew. */
  readonly isRepair: boolean;
}

export interface ExportOptions extends LocalOptions {
  /** Null: the output. */
  readonly file: string | null;
}

/** A sign-in at an accounts server, and the file that it ends in. */
export interface AccountOptions {
  /** The accounts server's pages, without a slash at the end. */
  readonly accountsUrl: string;
  readonly clientId: string;
  /** As in `SyncOptions`. */
  readonly allowHttp: boolean;
  readonly credentialsFile: string;
  readonly email: string | null;
}

export interface SignInOptions extends AccountOptions {
  /** Where the browser ends; null: with a password, and without a browser. */
  readonly redirectUrl: string | null;
}

export interface ImportOptions extends AccountOptions {
  /** Null: the input. */
  readonly file: string | null;
}

export interface SignOutOptions {
  readonly directory: string;
  /** The service that is left; null: all of the folder. */
  readonly remote: string | null;
  /** Files, as `FILE` or `NAME=FILE`; a service without one is told nothing. */
  readonly credentials: readonly string[];
  readonly forgetCredentials: boolean;
  /** As in `SyncOptions`. */
  readonly allowHttp: boolean;
  readonly yes: boolean;
}

const INTERVAL_MINUTES = 15;
const MINUTE_MS = 60_000;

export function parseSync(args: readonly string[]): SyncOptions {
  const { values } = parse(args, [], {
    ...SERVERS,
    data: text,
    interval: text,
    'device-name': text,
    'no-device': flag,
    once: flag,
    'read-only': flag,
    initialize: flag,
    strategy: texts,
    yes: flag,
    json: flag,
  });
  exclude(values, 'once', 'interval');
  exclude(values, 'no-device', 'device-name');
  exclude(values, 'read-only', 'device-name');
  exclude(values, 'read-only', 'initialize');
  const minutes =
    values.interval === undefined
      ? INTERVAL_MINUTES
      : wholeNumber('--interval', values.interval, 1, 10_080);
  const services = servicesIn(values);
  const synced = services.flatMap(({ collections }) => collections);
  return {
    services,
    strategies: typedStrategies(values.strategy, synced),
    allowHttp: values['allow-http'],
    directory: resolve(needed('--data', values.data)),
    readOnly: values['read-only'],
    // A device's record is written by the device: a reader has none.
    device: values['no-device'] || values['read-only'] ? null : deviceNamed(nameOf(values)),
    initialize: values.initialize,
    yes: values.yes,
    intervalMs: values.once ? null : minutes * MINUTE_MS,
    json: values.json,
  };
}

export function parseDoctor(args: readonly string[]): DoctorOptions {
  const { values } = parse(args, [], { ...SERVERS, data: text, json: flag });
  return {
    services: servicesIn(values),
    allowHttp: values['allow-http'],
    directory: values.data === undefined ? null : resolve(needed('--data', values.data)),
    json: values.json,
  };
}

/**
 * `names`: what the words beside the options are called; the last one may be left out if it ends in
 * `?`, and there may be more of it if it ends in `...?`.
 */
export function parseLocal(args: readonly string[], names: readonly string[]): LocalOptions {
  const { values, words } = parse(args, names, { data: text, json: flag });
  return localOptions(values, words);
}

/** With `--remote NAME`, where a command can be about one of the folder's services. */
export function parseOfService(args: readonly string[], names: readonly string[]): LocalOptions {
  const { values, words } = parse(args, names, { data: text, json: flag, remote: text });
  return localOptions(values, words);
}

export function parseList(args: readonly string[]): ListOptions {
  const options = {
    data: text,
    json: flag,
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
  const { values, words } = parse(args, [], { data: text, json: flag, output: text });
  return { ...localOptions(values, words), file: values.output ?? null };
}

export function parseResolve(args: readonly string[]): ResolveOptions {
  const options = { data: text, json: flag, tag: text, record: text, delete: flag } as const;
  const { values, words } = parse(args, ['COLLECTION', 'ID', 'ours or theirs?'], options);
  const [collection = '', id = '', word] = words;
  exclude(values, 'record', 'delete');
  if (word !== undefined && word !== 'ours' && word !== 'theirs') {
    throw new UsageError('behind the id there must be ours or theirs');
  }
  const isOther = values.delete || values.record !== undefined;
  if (word !== undefined && isOther) {
    throw new UsageError(`${word} and --${values.delete ? 'delete' : 'record'} exclude each other`);
  }
  if (word === undefined && !isOther) {
    throw new UsageError('say what is left: ours, theirs, --record JSON or --delete');
  }
  return {
    directory: localOptions(values, []).directory,
    ...{ json: values.json, collection, id, tag: values.tag ?? null },
    ...{ version: word ?? null, recordText: values.record ?? null },
  };
}

export function parseContacts(args: readonly string[]): ContactsOptions {
  const options = { data: text, json: flag, vcard: text } as const;
  const { values, words } = parse(args, ['import or export', 'FILE...?'], options);
  const [action = '', ...files] = words;
  if (action !== 'import' && action !== 'export') {
    throw new UsageError('contacts must be followed by import or export');
  }
  if (action === 'import' && files.length === 0) throw new UsageError('FILE is missing');
  if (action === 'import' && values.vcard !== undefined) {
    throw new UsageError('--vcard is for export: each card that is read says its version');
  }
  if (action === 'export' && files.length > 1) throw new UsageError('one FILE is written');
  if (action === 'export' && values.json) throw new UsageError('--json is for import');
  const { vcard = '3.0' } = values;
  const version = VERSIONS.find((one) => one === vcard);
  if (version === undefined) throw new UsageError(`--vcard must be ${VERSIONS.join(' or ')}`);
  return {
    action,
    directory: localOptions(values, []).directory,
    json: values.json,
    files,
    version,
  };
}

export function parseCheck(args: readonly string[]): CheckOptions {
  const options = { data: text, json: flag, remote: text, repair: flag };
  const { values, words } = parse(args, ['COLLECTION...?'], options);
  return { ...localOptions(values, words), isRepair: values.repair };
}

export function parseSignIn(
  args: readonly string[],
): SignInOptions | KintoSignInOptions | OwaSignInOptions {
  const all = { ...ACCOUNT, ...KINTO_ACCOUNT, ...OWA_ACCOUNT, redirect: text };
  const { values } = parse(args, [], all);
  if (values.owa !== undefined) return owaOptions(values);
  if (values.kinto !== undefined) return kintoOptions(values);
  const without = KINTO_ONLY.find((name) => values[name]);
  const or = without === 'password-file' ? ' or --owa URL' : '';
  if (without !== undefined) throw new UsageError(`--${without} belongs to --kinto URL${or}`);
  exclude(values, 'password', 'redirect');
  const account = accountOptions(values);
  if (!values.password) return { ...account, redirectUrl: redirectOf(values.redirect) };
  needed('--email', values.email);
  return { ...account, redirectUrl: null };
}

export function parseImport(args: readonly string[]): ImportOptions {
  const { values, words } = parse(args, ['FILE?'], ACCOUNT);
  return { ...accountOptions(values), file: words[0] ?? null };
}

export function parseSignOut(args: readonly string[]): SignOutOptions {
  const { values } = parse(args, [], {
    data: text,
    remote: text,
    credentials: texts,
    'forget-credentials': flag,
    'allow-http': flag,
    yes: flag,
  });
  const forgetCredentials = values['forget-credentials'];
  if (forgetCredentials) needed('--credentials', values.credentials[0]);
  return {
    directory: resolve(needed('--data', values.data)),
    remote: values.remote ?? null,
    credentials: values.credentials,
    forgetCredentials,
    allowHttp: values['allow-http'],
    yes: values.yes,
  };
}

const SERVERS = {
  'token-server': texts,
  'allow-http': flag,
  credentials: texts,
  protocol: { type: 'string', default: 'sync15' },
  remote: texts,
  collections: text,
} as const;

function servicesIn(
  values: Parameters<typeof servicesOf>[0] & { readonly 'allow-http': boolean },
): SyncOptions['services'] {
  const allowHttp = values['allow-http'];
  return servicesOf(values, (option, protocol, url) => {
    const isElsewhere = url === undefined && isNamedBySignIn(protocol);
    return remoteConfig(protocol, isElsewhere ? '' : urlOf(option, url, allowHttp));
  });
}

/** `url`: none, where the sign-in says which. */
function remoteConfig(protocol: string, url: string): AgentConfig['remote'] {
  const isTyped = url !== '';
  const serverUrl =
    protocol === KINTO ? kintoUrl(url) : protocol === OWA && isTyped ? owaUrl(url) : url;
  const audience = serverUrl === '' ? '' : originOf(serverUrl);
  return { protocol, serverUrl, audience, auth: 'bearer' };
}

const ACCOUNT = {
  accounts: text,
  'client-id': text,
  credentials: text,
  email: text,
  'allow-http': flag,
} as const;

function accountOptions(
  values: { readonly 'allow-http': boolean } & {
    readonly [Name in 'accounts' | 'client-id' | 'credentials' | 'email']?: string | undefined;
  },
) {
  const allowHttp = values['allow-http'];
  return {
    accountsUrl: urlOf('--accounts', values.accounts, allowHttp),
    allowHttp,
    clientId: needed('--client-id', values['client-id']),
    credentialsFile: needed('--credentials', values.credentials),
    email: values.email ?? null,
  };
}

function nameOf(values: { readonly 'device-name'?: string | undefined }): string | null {
  const name = values['device-name'];
  if (name === undefined || /^\P{Cc}{1,128}$/u.test(name)) return name ?? null;
  throw new UsageError('--device-name must be 1 to 128 characters in one line');
}

function localOptions(
  values: {
    readonly data?: string | undefined;
    readonly json: boolean;
    readonly remote?: string | undefined;
  },
  words: readonly string[],
): LocalOptions {
  const { json, remote = null } = values;
  return { directory: resolve(needed('--data', values.data)), json, remote, words };
}

/** As it is registered: to the last character, and nothing is asked there. */
function redirectOf(value: string | undefined): string {
  const text = needed('--redirect', value);
  const { username = '', password = '' } = parsedUrl(text) ?? {};
  if (username + password === '') return text;
  throw new UsageError('--redirect must hold no user name and no password');
}
