// The secret that a user's devices share, out of a file that only the user can read: the
// credentials of a folder's sign-in, or a file that was made for this. No key is ever shown.

import { hkdfSync } from 'node:crypto';
import { FileRefused, readOwn } from '../whole-files.ts';
import { membersOf } from './reading.ts';
import { UsageError } from './usage.ts';

const OWNER_ONLY = 0o077;

/** Where a new access token comes from. */
export interface Renewal {
  readonly refreshToken: string;
  readonly clientId: string;
  readonly oauthUrl: string;
}

/** What is taken of a credentials file. */
interface Sign {
  /** 32 bytes; null: the file has no key. */
  readonly root: Buffer | null;
  /** What proves the user to a server, or where that comes from; null: the file has none. */
  readonly token: string | Renewal | null;
}

/**
 * JSON with `root` (64 hexadecimal digits), or `kB` (64) or `key` (`{"kty": "oct", "k": ...}`), of
 * which the root is made, and `accessToken`, or `refreshToken`, `clientId` and `oauthUrl`. Errors:
 * UsageError, which names the member.
 */
export function readSign(path: string): Sign {
  const members = membersOf(parsed(path));
  if (members === null) throw new UsageError(`${path} is no JSON object`);
  const hex = (name: string): Buffer | null => {
    const value = members.get(name) ?? null;
    if (value === null) return null;
    if (typeof value === 'string' && /^[0-9a-f]{64}$/i.test(value))
      return Buffer.from(value, 'hex');
    throw new UsageError(`${path}: ${name} must be 64 hex digits`);
  };
  const scoped = scopedOf(path, members.get('key') ?? null);
  const kB = hex('kB');
  const sync = scoped ?? (kB && hkdf(kB, 'identity.mozilla.com/picl/v1/oldsync', 64));
  return {
    root: hex('root') ?? (sync && hkdf(sync, 'picl/queuesync/v1/root', 32)),
    token: tokenOf(members),
  };
}

function tokenOf(members: ReadonlyMap<string, unknown>): Sign['token'] {
  const text = (name: string): string => {
    const value = members.get(name);
    return typeof value === 'string' ? value : '';
  };
  const renewal = {
    refreshToken: text('refreshToken'),
    clientId: text('clientId'),
    oauthUrl: text('oauthUrl'),
  };
  return renewal.refreshToken === '' ? text('accessToken') || null : renewal;
}

function scopedOf(path: string, value: unknown): Buffer | null {
  if (value === null) return null;
  const k = membersOf(value)?.get('k');
  if (typeof k === 'string' && /^[\w-]{86}$/.test(k)) return Buffer.from(k, 'base64url');
  throw new UsageError(`${path}: key.k must be 64 bytes of base64url`);
}

function parsed(path: string): unknown {
  try {
    const bytes = readOwn(path, ({ mode }) => {
      if (process.platform === 'win32' || (mode & OWNER_ONLY) === 0) return;
      throw new UsageError(`${path} can be read by others; mend it with: chmod 600 ${path}`);
    });
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) throw new UsageError(`${path} is not JSON`);
    const isOfFile = error instanceof FileRefused || (error as NodeJS.ErrnoException).syscall;
    throw isOfFile ? new UsageError(`cannot read ${path}: ${(error as Error).message}`) : error;
  }
}

function hkdf(key: Buffer, info: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', info, bytes));
}
