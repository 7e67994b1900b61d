// What a server has of a user who keeps a key of their own: under which keys there is data. It is
// asked before a key is made or taken, so that nobody begins anew beside what is there without
// knowing. Nothing is written.

import { keyOfRecoveryCode, recoveryCode } from '../../crypto/recovery.ts';
import type { SyncKey, SyncKeyB } from '../../platform/ports.ts';
import { badInput, badResponse, SyncError } from '../errors.ts';
import { member } from '../wire/document.ts';
import { exchange, type SignInDevice } from './server.ts';

/** Where a user's data is on the server, as its protocol says. */
export interface Places {
  bucketOf(key: SyncKey): string;
  /** What the names of all of ours begin with, under whichever key. */
  readonly prefix: string;
}

/** How the user proves who they are: a name and a password joined by a colon, or a token. */
export interface Proof {
  readonly basic?: string;
  readonly bearer?: string;
}

export interface UserData {
  /** There is none under any key, as far as the server lets the user see. */
  readonly isNone: boolean;
  /** Under how many keys there is some. */
  readonly keys: number;
  /** Errors: as of `userData`. */
  isUnder(key: SyncKey): Promise<boolean>;
}

/**
 * `serverUrl`: without its version and without a slash at the end. Errors: `unauthorized`,
 * `unavailable`, `badResponse`, those of the network.
 */
export async function userData(
  device: SignInDevice,
  serverUrl: string,
  proof: Proof,
  { bucketOf, prefix }: Places,
): Promise<UserData> {
  const url = `${serverUrl}/v1/buckets`;
  const listed = await ask(device, `${url}?like_id=${prefix}*&_fields=id`, proof);
  const data = listed === null ? [] : member(listed, 'data');
  if (!Array.isArray(data)) throw badResponse('buckets: not a list of them');
  const ids = data.map((one) => String(member(one, 'id')));
  const keys = ids.filter((id) => id.startsWith(prefix)).length;
  return {
    isNone: keys === 0,
    keys,
    isUnder: async (key) => {
      const own = bucketOf(key);
      // A list may have more pages.
      return ids.includes(own) || (await ask(device, `${url}/${own}`, proof)) !== null;
    },
  };
}

/** A new code, to be shown once. */
export function newCode(entropy: SignInDevice['entropy']): string {
  return recoveryCode(entropy.random(CODE_BYTES));
}

/** Errors: `badInput` says what is wrong with the code. */
export function keyOfCode(code: string): SyncKeyB {
  try {
    return keyOfRecoveryCode(code);
  } catch (error) {
    if ((error as Error | null)?.name !== 'CryptoError') throw error;
    const { message, code: kind } = error as Error & { readonly code?: string };
    throw badInput(`code: ${message.replace(`${kind}: `, '')}`);
  }
}

const CODE_BYTES = 16;

/** The answer; null: it is not there, or the user may not see it. */
async function ask(device: SignInDevice, url: string, proof: Proof): Promise<unknown> {
  const { status, body } = await exchange(device, url, proof);
  if (status === 200) return body;
  if (status === 403 || status === 404) return null;
  if (status === 401) throw new SyncError('unauthorized', 'the name or the password is wrong');
  if (status === 429 || status >= 500) {
    throw new SyncError('unavailable', `the server answered with status ${status}`, { status });
  }
  throw badResponse('buckets: not a list of them');
}
