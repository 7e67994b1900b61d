// An accounts server whose state is kept: what was answered is, and what another process has
// answered is known before the next answer. One request at a time is answered, in all processes.

import type { AccountsServer } from '../accounts.ts';
import type { ServerStorage } from './server-storage.ts';

const KEY = 'sign-ins';
/** Of a server that has broken off. */
const NOTHING = '';

/** `server`: as it is before anybody has asked it. */
export function keptAccounts(storage: ServerStorage, server: AccountsServer): AccountsServer {
  const atFirst = server.signIns();
  let known = atFirst;
  const handle = (request: Request): Promise<Response> =>
    storage.transaction('accounts', async (tx) => {
      const [kept = null] = await tx.get([KEY]);
      // What another process has answered, or this one and could not keep.
      if ((kept ?? atFirst) !== known) server.restore(kept ?? atFirst);
      known = NOTHING;
      const response = await server.handle(request);
      known = server.signIns();
      if (known !== kept) tx.put(KEY, known);
      return response;
    });
  return {
    handle,
    signIns: () => server.signIns(),
    restore: (signIns) => server.restore(signIns),
    changePassword: (...args) => server.changePassword(...args),
    resetPassword: (...args) => server.resetPassword(...args),
    endSessions: (email) => server.endSessions(email),
    devices: (email) => server.devices(email),
  };
}
