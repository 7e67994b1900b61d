// What of a sign-in lies in the device's storage: sealed under a key of the device's own.

import { restKey } from '../../crypto/rest.ts';
import type { Change, Platform } from '../../platform/ports.ts';
import { ported } from '../errors.ts';
import { deviceKeyOf } from '../store/device-key.ts';
import { FORM, parsedObject, unreadable } from '../store/stored.ts';
import { createVault, type Vault } from '../store/vault.ts';

export type Safe = ReturnType<typeof openSafe>;

export function openSafe(platform: Platform) {
  const { storage } = platform;
  const deviceKey = (): Promise<Uint8Array> => deviceKeyOf(platform);
  let opened: Promise<Vault> | null = null;
  const vault = (): Promise<Vault> => {
    opened ??= deviceKey().then((key) => createVault(restKey(key), platform));
    // A device that did not say its key now may do so the next time.
    opened.catch(() => {
      opened = null;
    });
    return opened;
  };
  return {
    deviceKey,
    async sealed(key: string, value: object): Promise<Change> {
      return [key, await (await vault()).seal(key, FORM, JSON.stringify(value))];
    },
    /** Errors: `damaged`. */
    async load<T>(key: string): Promise<T | null> {
      const [box] = await ported(storage.get([key]));
      if (box === null || box === undefined) return null;
      const opened = typeof box === 'string' ? null : await (await vault()).open(key, box);
      // Form 1 had no letter.
      const isKnown = ['', 'c', FORM].includes(opened?.head ?? 'none');
      const value = opened && isKnown ? parsedObject(opened.text) : null;
      if (value === null) throw unreadable('signIn', opened?.head ?? '');
      return value as T;
    },
    commit: (...changes: Change[]): Promise<void> => ported(storage.commit(changes)),
  };
}
