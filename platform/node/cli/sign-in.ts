// The three ways to a credentials file: `kitsync sign-in` by the browser of any device or with a
// password, and `kitsync import` of what a trusted device hands over. What comes of it goes into
// that file, for its owner only, and nowhere else. A password is read from a terminal without being
// shown, or from the input; never from the arguments.

import { pbkdf2 } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { beginSignIn, finishSignIn, readRedirect } from '../../../agent/signin/companion.ts';
import type { SignedIn } from '../../../agent/signin/credentials.ts';
import { importSignIn } from '../../../agent/signin/import.ts';
import { signInWithPassword } from '../../../agent/signin/password.ts';
import { type AccountsServer, discoverAccounts } from '../../../agent/signin/server.ts';
import { type Machine, nodeMachine } from '../platform.ts';
import { serverUrlOf } from '../server-url.ts';
import { UsageError } from './complaint.ts';
import { writeCredentials } from './credentials.ts';
import { DOCUMENT_BYTES_MAX, readGiven } from './given-files.ts';
import type { AccountOptions, ImportOptions, SignInOptions } from './options.ts';
import { checkWritable } from './private-files.ts';
import type { Terminal } from './terminal.ts';

/** Errors of both: `UsageError`, `ServerUrlRefused`, `SyncError`. */
export async function signIn(options: SignInOptions, terminal: Terminal): Promise<void> {
  const { redirectUrl } = options;
  await writeSignIn(options, terminal, (machine, server) =>
    redirectUrl === null
      ? byPassword(options, machine, server, terminal)
      : byBrowser({ ...options, redirectUrl }, machine, server, terminal),
  );
}

export async function importAccount(options: ImportOptions, terminal: Terminal): Promise<void> {
  const { file, clientId } = options;
  const json = file === null ? await terminal.read() : `${readGiven(file, DOCUMENT_BYTES_MAX)}`;
  await writeSignIn(options, terminal, (machine, { apiUrl }) =>
    importSignIn(machine, { apiUrl, clientId }, json),
  );
}

type Way = (machine: Machine, server: AccountsServer) => Promise<SignedIn>;

async function writeSignIn(options: AccountOptions, terminal: Terminal, way: Way): Promise<void> {
  const { accountsUrl, clientId, credentialsFile, email, allowHttp } = options;
  checkWritable(credentialsFile);
  checkNoOther(credentialsFile);
  const machine = nodeMachine({ ...terminal.machine, allowHttp });
  const server = await discoverAccounts(machine, accountsUrl);
  // It says where its API is.
  serverUrlOf('auth_server_base_url of the accounts server', server.apiUrl, { allowHttp });
  const { uid, refreshToken, key } = await way(machine, server);
  const token = { refreshToken, clientId, oauthUrl: server.apiUrl };
  const places = { kinto: null, owa: null };
  await writeCredentials(credentialsFile, { email, uid, ...places, token, key, deviceId: null });
  terminal.complain(`Signed in: ${credentialsFile} is written.\n`);
}

/**
 * The key of a user of a Kinto may be nowhere else on this machine, and a folder may be synced by a
 * sign-in to a server of Open Web Apps. Errors: `UsageError`.
 */
function checkNoOther(path: string): void {
  let kinto: unknown;
  let owa: unknown;
  try {
    ({ kinto, owa } = JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    // There is none, or nothing that could be lost.
  }
  if (typeof kinto !== 'string' && typeof owa !== 'string') return;
  const what = typeof kinto === 'string' ? 'a Kinto' : 'a server of Open Web Apps';
  throw new UsageError(
    `${path} is the sign-in to ${what}: choose another --credentials, or remove it first`,
  );
}

async function byBrowser(
  { clientId, redirectUrl }: SignInOptions & { readonly redirectUrl: string },
  machine: Machine,
  server: AccountsServer,
  terminal: Terminal,
): Promise<SignedIn> {
  const { url, state, secret } = await beginSignIn(machine, { server, clientId, redirectUrl });
  terminal.complain(`Open this page in a browser, on any device, and sign in:\n\n`);
  terminal.write(`${url}\n`);
  terminal.complain(
    `\nThe browser ends at an address that begins with ${redirectUrl}\n` +
      'Paste that address, or the code in it: ',
  );
  const line = (await terminal.readLine()).trim();
  if (line === '') throw new UsageError('no code was given');
  return finishSignIn(machine, secret, readRedirect(line) ?? { code: line, state });
}

async function byPassword(
  { clientId, email }: SignInOptions,
  machine: Machine,
  { apiUrl }: AccountsServer,
  terminal: Terminal,
): Promise<SignedIn> {
  // Whoever sees the question may type already: by then the terminal has to be quiet.
  const reading = terminal.readLine(true);
  if (terminal.isInteractive) terminal.complain(`Password of ${email}: `);
  const password = await reading;
  if (password === '') throw new UsageError('no password was given');
  const request = { apiUrl, clientId, email: email ?? '', password };
  return signInWithPassword(machine, { ...request, pbkdf2: stretch });
}

/** Off the main thread: 650,000 rounds take it a fraction of a second. */
export async function stretch(
  password: Uint8Array,
  salt: Uint8Array,
  rounds: number,
): Promise<Uint8Array> {
  return new Uint8Array(await promisify(pbkdf2)(password, salt, rounds, 32, 'sha256'));
}
