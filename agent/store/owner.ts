// Who the user is, as the device's account manager says before every pass, held against whose data
// the device has. The same user with a new key keeps the data: only what was agreed on with the
// server is void then.
// Source: Firefox Accounts, "Scoped keys": a key's `kid` sorts behind those of the keys before it.

import type { Platform, SyncKey } from '../../platform/ports.ts';
import { ported, SyncError } from '../errors.ts';
import type { SavedState } from './state.ts';

export interface Claim {
  readonly key: SyncKey;
  /** This device's id at the accounts server; null: it has none. */
  readonly deviceId: string | null;
  /** What is kept of it. */
  readonly owner: Pick<SavedState, 'uid' | 'email' | 'clientState' | 'kid'>;
}

/**
 * Asks the account manager. Errors: those of the Identity port; `keyMismatch` for a key that is
 * none.
 */
export function createClaims(
  { clock, identity }: Platform,
  keyName: (key: SyncKey) => Promise<string>,
): () => Promise<Claim> {
  /** The key that was seen last: deriving from it is dear. */
  let known: { readonly text: string; readonly clientState: string } | null = null;
  return async () => {
    const { uid, email, deviceId = null } = await ported(identity.account());
    const key = await ported(identity.syncKey());
    const text = JSON.stringify(key);
    if (known?.text !== text) {
      known = { text, clientState: await keyName(key) };
      await clock.pause();
    }
    const kid = 'kid' in key ? key.kid : null;
    return { key, deviceId, owner: { uid, email, clientState: known.clientState, kid } };
  };
}

/**
 * `stranger`: the data is another user's, or nobody's. `newKey`: the user's key was changed, and
 * the data under the old one is gone from the server. Errors: `keyMismatch` for a key that is older
 * than one already seen.
 */
export function relationOf(saved: SavedState, { owner }: Claim): 'same' | 'newKey' | 'stranger' {
  if (saved.uid !== owner.uid) return 'stranger';
  if (owner.kid !== null && owner.kid < (saved.kid ?? '')) {
    throw new SyncError('keyMismatch', 'sync key: its kid is older than that of the key before');
  }
  return saved.clientState === owner.clientState ? 'same' : 'newKey';
}
