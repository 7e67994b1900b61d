// The options of `kitsync serve`. Errors are UsageErrors of one line that names the option.

import { readFileSync } from 'node:fs';
import { parsedUrl } from '../platform/parsed-url.ts';
import {
  type AccountFile,
  hostName,
  parse,
  readAccountFile,
  systemReason,
  wholeNumber,
} from './options.ts';
import { OWA_TABLE, owaOf } from './owa-options.ts';
import { NONE, PICL_TABLE, type PiclServing, piclOf } from './picl-options.ts';
import { ANY_ORIGIN } from './servers/gate.ts';
import { type Issuer, isSafe, issuerOfFile } from './servers/issuers.ts';
import type { OwaOptions } from './servers/owa/owa.ts';
import { UsageError } from './usage.ts';

export interface ServeOptions {
  readonly port: number;
  /** Names of this machine besides the loopback ones. */
  readonly hosts: readonly string[];
  /** Pages of these origins may ask. */
  readonly origins: readonly string[];
  readonly account: AccountFile;
  /** Whether `account` was named, and is not the shipped one. */
  readonly accountIsNamed: boolean;
  /** Where all is kept, a folder or a `postgres://` URL; null: nowhere. */
  readonly database: string | null;
  /** What clients call the servers; null: the origin of the port. */
  readonly publicUrl: string | null;
  /** Whether whoever reaches the port may make an account. */
  readonly signUp: boolean;
  /** Whether the shipped account is there, and who signs with the test key is believed. */
  readonly testAccounts: boolean;
  /** Accounts servers outside whose tokens are believed: those to ask, those with their keys. */
  readonly issuers: readonly string[];
  readonly issuerFiles: readonly Issuer[];
  readonly seconds: number;
  /** How the PiCL storage is set up; null: as by default. */
  readonly picl: PiclServing | null;
  /** The same of the OWA server. */
  readonly owa: Partial<OwaOptions> | null;
}

/** `picl` or `owa` before the options allows those of that server. */
export function parseServe(args: readonly string[]): ServeOptions {
  const [name, ...rest] = args;
  if (name === 'picl') {
    const values = parse(rest, { ...TABLE, ...PICL_TABLE });
    return { ...serveOptions(values), picl: piclOf(values) };
  }
  if (name === 'owa') {
    const values = parse(rest, { ...TABLE, ...OWA_TABLE });
    return { ...serveOptions(values), owa: owaOf(values) };
  }
  return serveOptions(parse(args, TABLE));
}

const TABLE = {
  port: { type: 'string', default: '0' },
  host: { type: 'string', multiple: true, default: NONE },
  'allow-origin': { type: 'string', multiple: true, default: NONE },
  account: { type: 'string' },
  database: { type: 'string' },
  'public-url': { type: 'string' },
  'sign-up': { type: 'boolean', default: false },
  'test-accounts': { type: 'boolean', default: false },
  issuer: { type: 'string', multiple: true, default: NONE },
  jwks: { type: 'string', multiple: true, default: NONE },
  seconds: { type: 'string', default: '86400' },
} as const;

function serveOptions(values: ReturnType<typeof parse<typeof TABLE>>): ServeOptions {
  return {
    port: wholeNumber('--port', values.port, 0, 65_535),
    hosts: values.host.map(hostName),
    origins: values['allow-origin'].map(pageOrigin),
    account: readAccountFile(values.account),
    accountIsNamed: values.account !== undefined,
    database: values.database ?? null,
    publicUrl: values['public-url'] === undefined ? null : publicUrlOf(values['public-url']),
    signUp: values['sign-up'],
    // Without a database nothing is kept that would have to be guarded.
    testAccounts: values['test-accounts'] || values.database === undefined,
    issuers: values.issuer.map(issuerUrl),
    issuerFiles: values.jwks.map(issuerFile),
    seconds: wholeNumber('--seconds', values.seconds, 1, 2_000_000),
    ...{ picl: null, owa: null },
  };
}

function issuerUrl(text: string): string {
  if (isSafe(text) && !/[?#]/.test(text)) return text;
  throw new UsageError(
    `--issuer must be an https URL such as https://accounts.example, not ${JSON.stringify(text)}`,
  );
}

/** Errors: UsageError. */
function issuerFile(path: string): Issuer {
  try {
    return issuerOfFile(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UsageError(`--jwks ${path}: ${systemReason(error)}`);
  }
}

/** Without a slash at its end: the servers' own paths follow. */
function publicUrlOf(text: string): string {
  const isUrl = parsedUrl(text) !== null && /^https?:/.test(text) && !/[?#]|\/$/.test(text);
  if (isUrl && new URL(text).href.replace(/\/$/, '') === text) return text;
  throw new UsageError(
    `--public-url must be a URL such as https://sync.example, not ${JSON.stringify(text)}`,
  );
}

/** To the letter: browsers write it like this. */
function pageOrigin(text: string): string {
  if (text === ANY_ORIGIN) return text;
  if (/^[a-z][a-z\d+.-]*:\/\/[a-z\d.:[\]-]+$/.test(text)) return text;
  throw new UsageError(
    `--allow-origin must be an origin such as https://app.example, not ${JSON.stringify(text)}`,
  );
}
