// The fleet's user: signed in at the accounts server by what the tests have of their own, with the
// account's keys as they are on the server, opened by node:crypto.

import { accountClient } from '../../emulator/servers/account-client.ts';
import { keyFingerprint } from '../../emulator/servers/sync-keys.ts';
import { type Pass, type StorageClient, storageClient } from '../../emulator/servers/testing.ts';

export interface User {
  readonly kB: string;
  readonly url: string;
  /** As the accounts server calls them. */
  uid(): Promise<string>;
  /** For Syncto. */
  assertion(isFresh: boolean): Promise<string>;
  /** Their place in the storage, asked for anew where it is not good any more. */
  readonly storage: StorageClient;
}

export function signedInUser(url: string, kB: string): User {
  const credentials = { email: 'user@example.test', kB };
  const account = accountClient({
    ...{ fetch, baseUrl: `${url}/accounts`, credentials, nowMs: Date.now },
  });
  let known: Promise<StorageClient> | null = null;
  const place = async (): Promise<StorageClient> => {
    const { token, keysChangedAtMs } = await account.accessToken(false);
    const keyId = `${keysChangedAtMs}-${keyFingerprint(kB)}`;
    const headers = { Authorization: `Bearer ${token}`, 'X-KeyID': keyId };
    const answer = await fetch(`${url}/token/1.0/sync/1.5`, { headers });
    if (answer.status !== 200) throw new Error(`the token server answered ${answer.status}`);
    return storageClient({ fetch }, (await answer.json()) as Pass, Date.now);
  };
  return {
    ...{ kB, url },
    uid: async () => (await account.account()).uid,
    assertion: (isFresh) => account.assertion(`${url}/`, isFresh),
    async storage(...asked) {
      known ??= place();
      const answer = await (await known)(...asked);
      if (answer.status !== 401) return answer;
      known = place();
      return (await known)(...asked);
    },
  };
}
