// `kitsync sign-in --owa`: a user of an accounts server that a server of Open Web Apps believes. Of
// the password a session is left, which can vouch for the user; no key, for that server reads what
// it keeps. What comes of it goes into the credentials file, for its owner only, when both servers
// have taken it.

import { existsSync } from 'node:fs';
import { SyncError } from '../../../agent/index.ts';
import { discoverAccounts } from '../../../agent/signin/server.ts';
import { beginSession, revokeSession } from '../../../agent/signin/session.ts';
import { type Machine, nodeMachine } from '../platform.ts';
import { serverUrlOf } from '../server-url.ts';
import { sessionAssertion } from './assertions.ts';
import { UsageError } from './complaint.ts';
import {
  type AccountSession,
  type CredentialsFile,
  readCredentials,
  writeCredentials,
} from './credentials.ts';
import { secretsFor } from './kinto-secrets.ts';
import type { OwaSignInOptions } from './owa-options.ts';
import { owaHello } from './owa-server.ts';
import { checkWritable } from './private-files.ts';
import { originOf } from './service.ts';
import { stretch } from './sign-in.ts';
import type { Terminal } from './terminal.ts';

/** Errors: `UsageError`, `ServerUrlRefused`, `SyncError`. */
export async function signInToOwa(options: OwaSignInOptions, terminal: Terminal): Promise<void> {
  const { credentialsFile, accountsUrl, owaUrl, email, passwordFile, allowHttp } = options;
  checkWritable(credentialsFile);
  const before = existsSync(credentialsFile) ? readCredentials(credentialsFile, true) : null;
  checkReplaceable(before, options);
  const asked = { user: email, isBearer: false, passwordFile };
  const password = await secretsFor(asked, terminal).password();
  const machine = nodeMachine({ ...terminal.machine, allowHttp });
  try {
    const { apiUrl } = await discoverAccounts(machine, accountsUrl);
    // It says where its API is.
    serverUrlOf('auth_server_base_url of the accounts server', apiUrl, { allowHttp });
    const user = { apiUrl, email, password, pbkdf2: stretch };
    const { bearer, uid } = await beginSession(machine, user);
    const token = { session: bearer, accountsUrl: apiUrl };
    try {
      const assertion = await sessionAssertion(machine, token, originOf(owaUrl));
      // The account's own letters, whichever were typed.
      const known = (await owaHello(machine, owaUrl, assertion)) || email;
      const places = { kinto: null, owa: owaUrl };
      const file = { email: known, uid, ...places, token, key: null, deviceId: null };
      await writeCredentials(credentialsFile, file);
    } catch (error) {
      await ended(machine, token);
      throw error;
    }
    if (before !== null && 'session' in before.token) await ended(machine, before.token);
  } finally {
    machine.stop();
  }
  terminal.complain(
    `Signed in: ${credentialsFile} is written.\n` +
      'The server reads what is synced with it: which apps its users have, and their receipts.\n',
  );
}

/** Whoever cannot be told keeps a session that nobody has any more. */
async function ended(machine: Machine, { session, accountsUrl }: AccountSession): Promise<void> {
  await revokeSession(machine, accountsUrl, session).catch((error: unknown) => {
    if (!(error instanceof SyncError)) throw error;
  });
}

/** A folder may be synced by another sign-in in that file. Errors: `UsageError`. */
function checkReplaceable(
  before: CredentialsFile | null,
  { credentialsFile, owaUrl, email }: OwaSignInOptions,
): void {
  if (before === null) return;
  const whose = before.email ?? 'somebody';
  if (before.owa === owaUrl && whose.toLowerCase() === email.toLowerCase()) return;
  const place = before.owa ?? before.kinto ?? 'an accounts server';
  throw new UsageError(
    `${credentialsFile} is the sign-in of ${whose} at ${place}: choose another --credentials, ` +
      'or remove it first',
  );
}
