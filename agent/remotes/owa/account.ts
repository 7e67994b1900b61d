// Whose document was merged here: a server may sign the same person in to another account, and two
// people's apps are never made one without anybody having said so.

import { encodeHex } from '../../../crypto/bytes.ts';
import { sha256 } from '../../../crypto/sha256.ts';
import { encodeUtf8 } from '../../../crypto/utf8.ts';
import { ported, SyncError } from '../../errors.ts';
import { forgetNames } from '../named.ts';
import { type Kept, type RemoteAccount, UNHEARD } from '../remote.ts';

export interface OwaAccount extends RemoteAccount {
  /**
   * The login was this user's. Errors: `accountChanged` if the one before was another one's: until
   * somebody signs out nothing is merged. Those of the storage.
   */
  confirm(email: string): Promise<void>;
}

export function openAccount(kept: Kept): OwaAccount {
  const { platform, generation } = kept;
  const { storage } = platform;
  const key = `${generation}.m`;
  return {
    standing: () => ({ ...UNHEARD, encrypted: false }),
    // Whose it is stays: another key is no other user.
    forget: () => forgetNames(kept),
    async confirm(email) {
      // A server that does not say has one user only for this device.
      if (email === '') return;
      const tag = tagOf(email);
      const [before = null] = await ported(storage.get([key]));
      if (before === tag) return;
      if (before !== null) {
        const why = 'owa: the server signs in to another account; sign out to change it';
        throw new SyncError('accountChanged', why);
      }
      await ported(storage.commit([[key, tag]]));
    },
  };
}

function tagOf(email: string): string {
  return encodeHex(sha256(encodeUtf8(`kitsync/v1/owa/email/${email}`))).slice(0, 24);
}
