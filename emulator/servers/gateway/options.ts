// What a person typed behind `kitsync gateway`, checked: options that can be run, or a complaint of
// one line. Reads the file of the secret; starts nothing.

import { parseArgs } from 'node:util';
import { readPrivate } from '../../../platform/node/cli/private-files.ts';
import { serverUrlOf } from '../../../platform/node/server-url.ts';
import { parsedUrl } from '../../../platform/parsed-url.ts';
import { hostName, wholeNumber } from '../../options.ts';
import { UsageError } from '../../usage.ts';

export interface GatewayOptions {
  readonly port: number;
  readonly tokenUrl: string;
  readonly publicUrl: string | null;
  readonly hosts: readonly string[];
  /** Null: one that nobody else knows. */
  readonly secret: Uint8Array | null;
  readonly redisUrl: string | null;
  /** Collections whose records may be written. */
  readonly writable: readonly string[];
  /** Collections whose records may be erased. */
  readonly erasable: readonly string[];
  readonly cacheSeconds: number;
  readonly graceSeconds: number;
  readonly allowHttp: boolean;
}

export const GATEWAY_HELP = `Usage: kitsync gateway --token-server URL [options]

A Syncto gateway on a loopback port, before any Sync 1.5 server. It keeps nothing: any number of
processes may answer for one address, and each may end at any time.

  --token-server URL   the token server of the Sync server
  --port N             the port (default: any that is free)
  --public-url URL     what clients call the gateway; a path is a prefix (default: by its port)
  --host NAME          another name that clients may use; again for another
  --secret-file FILE   32 bytes as 64 hex digits, for this user only: what kept credentials are
                       sealed with (default: KITSYNC_GATEWAY_SECRET, or made anew at each start)
  --redis URL          keep credentials where several processes find them: redis:// or rediss://.
                       It needs a secret that all of them have, and the package ioredis
  --write NAME         a collection that may be written; again for another
                       (default: history, passwords, clients)
  --erase NAME         a collection whose records may be erased for good (default: none)
  --read-only          nothing may be written
  --cache-seconds N    how long credentials are kept (default 300)
  --grace-seconds N    how long SIGTERM waits for what has begun (default 30)
  --allow-http         the servers may be on another machine and without encryption

It prints a JSON object a line for each event. GET /__lbheartbeat__ says that the process takes
requests, GET /v1/__heartbeat__ whether its token server answers.
`;

const DEFAULT_WRITABLE = ['history', 'passwords', 'clients'];
const SECRET_VARIABLE = 'KITSYNC_GATEWAY_SECRET';

/** Errors: UsageError. */
export function parseGateway(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): GatewayOptions {
  const values = asUsage(() => parse(args));
  const allowHttp = values['allow-http'];
  const url = (name: string, text: string): string =>
    asUsage(() => serverUrlOf(name, text, { allowHttp, mayShow: true }));
  const tokenServer = values['token-server'];
  if (tokenServer === undefined) throw new UsageError('--token-server URL is missing');
  const secret = secretOf(values['secret-file'], environment[SECRET_VARIABLE]);
  const redisUrl = values.redis === undefined ? null : redisUrlOf(values.redis);
  if (redisUrl !== null && secret === null) {
    throw new UsageError(`--redis needs --secret-file or ${SECRET_VARIABLE}`);
  }
  if (values['read-only'] && (values.write ?? values.erase) !== undefined) {
    throw new UsageError('--read-only excludes --write and --erase');
  }
  const publicUrl = values['public-url'];
  return {
    port: wholeNumber('--port', values.port, 0, 65_535),
    tokenUrl: url('--token-server', tokenServer),
    publicUrl: publicUrl === undefined ? null : url('--public-url', publicUrl),
    hosts: values.host.map(hostName),
    secret,
    redisUrl,
    writable: values['read-only'] ? [] : (values.write ?? DEFAULT_WRITABLE).map(collection),
    erasable: (values.erase ?? []).map(collection),
    cacheSeconds: wholeNumber('--cache-seconds', values['cache-seconds'], 0, 3_600),
    graceSeconds: wholeNumber('--grace-seconds', values['grace-seconds'], 0, 3_600),
    allowHttp,
  };
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const several = { type: 'string', multiple: true } as const;
  return parseArgs({
    args: [...args],
    allowPositionals: false,
    options: {
      port: { ...text, default: '0' },
      'token-server': text,
      'public-url': text,
      host: { ...several, default: [] },
      'secret-file': text,
      redis: text,
      write: several,
      erase: several,
      'read-only': { type: 'boolean', default: false },
      'cache-seconds': { ...text, default: '300' },
      'grace-seconds': { ...text, default: '30' },
      'allow-http': { type: 'boolean', default: false },
    },
  }).values;
}

/** Errors name where it came from, and never show it. */
function secretOf(path: string | undefined, variable: string | undefined): Uint8Array | null {
  if (path === undefined && variable === undefined) return null;
  const text = path === undefined ? variable : asUsage(() => readPrivate(path));
  const hex = (text ?? '').trim();
  if (!/^[\da-f]{64}$/i.test(hex)) {
    throw new UsageError(`${path ?? SECRET_VARIABLE} must hold 64 hex digits`);
  }
  return Buffer.from(hex, 'hex');
}

/** It may hold a password, so it is never shown. */
function redisUrlOf(text: string): string {
  if (/^rediss?:$/.test(parsedUrl(text)?.protocol ?? '')) return text;
  throw new UsageError('--redis must be a redis:// or rediss:// URL');
}

function collection(name: string): string {
  if (/^[A-Za-z0-9._-]{1,32}$/.test(name)) return name;
  throw new UsageError(`a collection cannot be named ${JSON.stringify(name)}`);
}

function asUsage<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(String((error as Error).message).split('\n')[0]);
  }
}
