// `kitsync sign-in`: the person opens a page of the accounts server wherever there is a browser, and brings the
// code back. What comes of it goes into the credentials file, for its owner only, and nowhere else.

import { beginSignIn, finishSignIn, readRedirect } from '../../../agent/signin/companion.ts';
import { discoverAccounts } from '../../../agent/signin/server.ts';
import { nodeMachine } from '../platform.ts';
import { UsageError } from './complaint.ts';
import { writeCredentials } from './credentials.ts';
import type { SignInOptions } from './options.ts';
import { checkWritable } from './private-files.ts';
import type { Terminal } from './terminal.ts';

/** Errors: `UsageError`, `SyncError`. */
export async function signIn(options: SignInOptions, terminal: Terminal): Promise<void> {
  const { accountsUrl, clientId, redirectUrl, credentialsFile, email } = options;
  checkWritable(credentialsFile);
  const machine = nodeMachine(terminal.machine);
  const server = await discoverAccounts(machine, accountsUrl);
  const { url, state, secret } = await beginSignIn(machine, { server, clientId, redirectUrl });
  terminal.complain(`Open this page in a browser, on any device, and sign in:\n\n`);
  terminal.write(`${url}\n`);
  terminal.complain(
    `\nThe browser ends at an address that begins with ${redirectUrl}\nPaste that address, or the code in it: `,
  );
  const line = (await terminal.readLine()).trim();
  if (line === '') throw new UsageError('no code was given');
  const { uid, refreshToken, key } = await finishSignIn(
    machine,
    secret,
    readRedirect(line) ?? { code: line, state },
  );
  await writeCredentials(credentialsFile, {
    email,
    uid,
    token: { refreshToken, clientId, oauthUrl: server.apiUrl },
    key,
  });
  terminal.complain(`\nSigned in: ${credentialsFile} is written.\n`);
}
