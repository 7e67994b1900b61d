// A Kinto before anything is synced with it: whether it is one, who its user is there, and whether
// it takes what a sync writes. A sign-in asks that, and `doctor`.
// Source: Kinto HTTP API 1.x (hello, buckets).

import { isObject, kintoPlaces, SyncError } from '../../../agent/index.ts';
import { exchange } from '../../../agent/signin/server.ts';
import type { Proof } from '../../../agent/signin/user-data.ts';
import type { SyncKey } from '../../ports.ts';
import type { Machine } from '../platform.ts';
import type { CredentialsFile } from './credentials.ts';
import { printable } from './terminal.ts';

/** What a Kinto says of itself. */
export interface KintoHello {
  /** `26.5.0`; empty where it does not say. */
  readonly version: string;
  /** The user's id there, `account:bob`; null: the server knows nobody by what was sent. */
  readonly userId: string | null;
  /** It has users with names and passwords of their own. */
  readonly hasAccounts: boolean;
  /** Nobody may change anything there. */
  readonly isReadOnly: boolean;
  /** The day on which it is closed; null: it does not say that it is. */
  readonly endsOn: string | null;
}

/** How a sign-in proves who asks. */
export function proofOf(token: CredentialsFile['token']): Proof {
  if ('password' in token) return { basic: `${token.name}:${token.password}` };
  return { bearer: 'accessToken' in token ? token.accessToken : '' };
}

/**
 * `url`: without the version. Errors: `unauthorized` (who asks is not let in at all),
 * `badResponse` (no Kinto answers there), `unavailable`, `serviceGone`, those of the network.
 */
export async function kintoHello(machine: Machine, url: string, proof: Proof): Promise<KintoHello> {
  const { status, body } = await exchange(machine, `${url}/v1/`, proof).catch(notKinto);
  if (status !== 200) throw refusalOf(status);
  if (!isObject(body) || typeof body.http_api_version !== 'string') {
    throw new SyncError('badResponse', 'kinto: what answers is no Kinto');
  }
  const { settings, user, capabilities, project_version: version, eos } = body;
  return {
    version: typeof version === 'string' ? printable(version).slice(0, 40) : '',
    userId: isObject(user) && typeof user.id === 'string' ? user.id : null,
    hasAccounts: isObject(capabilities) && capabilities.accounts !== undefined,
    isReadOnly: isObject(settings) && settings.readonly === true,
    endsOn: typeof eos === 'string' ? printable(eos).slice(0, 40) : null,
  };
}

/**
 * Makes the place of the key's data, so that another device of the user knows that there is a key.
 * False: this user may make none. Errors: `unavailable`, those of the network.
 */
export async function makePlace(
  machine: Machine,
  url: string,
  proof: Proof,
  key: SyncKey,
): Promise<boolean> {
  const place = `${url}/v1/buckets/${kintoPlaces.bucketOf(key)}`;
  const { status } = await exchange(machine, place, { ...proof, json: {}, method: 'PUT' });
  if (status === 200 || status === 201) return true;
  if (status === 403 || status === 405) return false;
  throw refusalOf(status);
}

function refusalOf(status: number): SyncError {
  if (status === 401) return new SyncError('unauthorized', 'kinto: the server lets nobody in so');
  if (status === 410) return new SyncError('serviceGone', 'kinto: the server has closed');
  if (status >= 300 && status < 400) {
    return new SyncError('badResponse', `kinto: the server sends elsewhere with status ${status}`);
  }
  const message = `kinto: the server answered with status ${status}`;
  const isBusy = status === 429 || status >= 500;
  return new SyncError(isBusy ? 'unavailable' : 'badResponse', message, { status });
}

/** What is no JSON comes from something else. */
function notKinto(error: unknown): never {
  if (!(error instanceof SyncError) || error.code !== 'badResponse') throw error;
  throw new SyncError('badResponse', `kinto: what answers is no Kinto (${error.message})`);
}
