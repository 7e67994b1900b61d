// `kitsync sign-out`: the account's data and keys leave this computer, its record leaves the
// account's devices, and the refresh token is given back. A server that does not answer keeps no
// data here. The folder's files go as files: what was removed inside them would still be on the
// disk.

import { existsSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Status, SyncError } from '../../../agent/index.ts';
import { revokeToken } from '../../../agent/signin/tokens.ts';
import { hasData, type MachineOptions, nodeMachine } from '../platform.ts';
import { serverUrlOf } from '../server-url.ts';
import { removeDrafts } from '../whole-files.ts';
import { failureLine } from './complaint.ts';
import { confirm } from './confirm.ts';
import { type CredentialsFile, readCredentials } from './credentials.ts';
import { checkFolder, openInTurn } from './data.ts';
import { emptiness, eraseData } from './folder.ts';
import { checkAccount, identityOf, nobody } from './identity.ts';
import { NOTES_FILE, readNotes } from './notes.ts';
import type { SignOutOptions } from './options.ts';
import { leaveOne } from './sign-out-one.ts';
import type { Terminal } from './terminal.ts';

/**
 * Errors: `UsageError`, `Failure` (somebody said no), `StorageError` (a sync is running),
 * `SyncError`.
 */
export async function signOut(options: SignOutOptions, terminal: Terminal): Promise<void> {
  const { directory, credentialsFile, forgetCredentials, allowHttp } = options;
  checkFolder(directory);
  const credentials = credentialsFile === null ? null : readCredentials(credentialsFile, allowHttp);
  if (credentialsFile !== null) removeDrafts(credentialsFile);
  if (options.remote !== null) {
    await leaveOne(options, options.remote, credentials, terminal);
    if (credentials !== null) {
      const said = await giveBack(credentials, { ...terminal.machine, allowHttp });
      terminal.complain(`${said}\n`);
    }
    if (credentialsFile !== null && forgetCredentials) removeFile(credentialsFile);
    return;
  }
  if (hasData(directory)) await leave(options, credentials, terminal);
  else await confirm(terminal, question(options, null), options.yes);
  const left = existsSync(directory) ? await eraseData(directory) : [];
  const said = [emptiness(directory, left)];
  if (credentials !== null)
    said.push(await giveBack(credentials, { ...terminal.machine, allowHttp }));
  if (credentialsFile !== null && forgetCredentials) removeFile(credentialsFile);
  if (credentialsFile !== null) {
    said.push(`${credentialsFile} is ${forgetCredentials ? 'removed' : 'kept'}`);
  }
  terminal.complain(`${said.join('\n')}\n`);
}

/** With what a link leads to: the secrets are there. */
function removeFile(path: string): void {
  const target = realpathSync(path);
  rmSync(target);
  rmSync(path, { force: true });
}

/**
 * Tells the accounts server that the refresh token is not needed any more; resolves to how that
 * went.
 */
export async function giveBack(
  { token }: CredentialsFile,
  options: MachineOptions | undefined,
): Promise<string> {
  if ('accessToken' in token) return 'the access token cannot be given back: it ends by itself';
  const machine = nodeMachine(options);
  const client = { apiUrl: token.oauthUrl, clientId: token.clientId };
  try {
    await revokeToken(machine, client, token.refreshToken);
    return 'the accounts server has taken the sign-in back';
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    return `the accounts server still knows the sign-in: ${failureLine(error.shown)}`;
  }
}

/** Opens the folder as the last sync had it, asks, and says goodbye to the server. */
async function leave(
  options: SignOutOptions,
  credentials: CredentialsFile | null,
  terminal: Terminal,
): Promise<void> {
  const { directory, credentialsFile, allowHttp, yes } = options;
  const { remote, device } = readNotes(directory);
  if (credentials !== null && remote !== null) {
    // Before anything is removed. The notes are a file that people can change.
    serverUrlOf(`the server in ${join(directory, NOTES_FILE)}`, `${remote.serverUrl}`, {
      allowHttp,
    });
  }
  let isAgreed = false;
  const data = await openInTurn({
    ...terminal.machine,
    allowHttp,
    directory,
    device,
    remote,
    intervalMs: 0,
    identity: (network, deviceKey) =>
      credentials === null || credentialsFile === null
        ? nobody(deviceKey)
        : identityOf(credentials, network, deviceKey, credentialsFile),
    // Nothing is synced any more while somebody thinks about it.
    connection: () => (isAgreed ? 'wifi' : 'none'),
    shell: { status: () => undefined, event: () => undefined },
  }).catch((error: unknown) => {
    // Whose data it is is lost with the state: there is nobody to say goodbye for.
    const isLost = error instanceof SyncError && error.code === 'damaged';
    if (isLost && error.detail.stored === 'state') return null;
    throw error;
  });
  if (data === null) return confirm(terminal, question(options, null), yes);
  try {
    const status = data.agent.status();
    if (credentials !== null) checkAccount(status.account, credentials, directory);
    await confirm(terminal, question(options, status), yes);
    isAgreed = credentials !== null && remote !== null;
    if (isAgreed) await data.agent.disable();
  } finally {
    data.close();
  }
}

function question(
  { directory, credentialsFile, forgetCredentials }: SignOutOptions,
  status: Status | null,
): string {
  const unsent = Object.values(status?.collections ?? {}).reduce(
    (sum, { pending }) => sum + pending,
    0,
  );
  return [
    `This removes all that was synced from ${directory}, and the key that it is sealed under.`,
    ...(unsent === 0 ? [] : [`Not sent yet, and lost then: ${unsent} of your changes.`]),
    ...(credentialsFile === null ? [] : [`The sign-in in ${credentialsFile} ends.`]),
    ...(forgetCredentials ? ['That file is removed, too.'] : []),
    'What is on the server, and on your other devices, stays.',
  ].join('\n');
}
