// This device in the account's list of devices, which the accounts server keeps: browsers show only
// devices of that list. The server gives the id; none is ever invented, and the entry of another
// device is never touched. Giving the refresh token back removes the entry.
// Source: Firefox Accounts, "Device registration" and the API of its auth server.

import { badResponse } from '../errors.ts';
import { member } from '../wire/document.ts';
import { accepted, exchange, type SignInDevice } from './server.ts';
import type { TokenClient } from './tokens.ts';

/** How the account's user knows the device. */
export interface DeviceDescription {
  readonly name: string;
  /** A word of the accounts server: `tv`, `mobile`, `tablet`, `desktop`. */
  readonly type: string;
}

/**
 * The device's id at the accounts server, 32 hex digits; it registers if it has none yet. A refresh
 * token stands for one device: null if that is another one, which shares its sign-in with this.
 * Errors: `signedOut`, `unverified`, `backoff`, `unavailable`, `badResponse`, those of the network.
 */
export async function registerDevice(
  device: SignInDevice,
  { apiUrl }: TokenClient,
  refreshToken: string,
  { name, type }: DeviceDescription,
): Promise<string | null> {
  const ask = async (path: string, json?: object): Promise<unknown> => {
    const question = { bearer: refreshToken, ...(json && { json }) };
    const answered = await exchange(device, `${apiUrl}/v1/account/${path}`, question);
    return accepted(answered, path, 'signedOut');
  };
  const listed = await ask('devices');
  if (!Array.isArray(listed)) throw badResponse('devices: no list');
  const current = listed.find((entry) => member(entry, 'isCurrentDevice') === true);
  // An answer that was lost has registered this device all the same.
  if (current !== undefined && member(current, 'name') !== name) return null;
  return idOf(current ?? (await ask('device', { name, type })));
}

function idOf(entry: unknown): string {
  const id = member(entry, 'id');
  if (typeof id === 'string' && /^[\da-f]{32}$/.test(id)) return id;
  throw badResponse('device: id is not 32 hex digits');
}
