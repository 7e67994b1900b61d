// `kitsync sign-out`: the account's data and keys leave this computer, its record leaves the
// account's devices, and the refresh token is given back. A server that does not answer keeps no
// data here. The folder's files go as files: what was removed inside them would still be on the
// disk.

import { existsSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Status, SyncError } from '../../../agent/index.ts';
import { revokeSession } from '../../../agent/signin/session.ts';
import { revokeToken } from '../../../agent/signin/tokens.ts';
import { APPS_FOLDER } from '../apps.ts';
import { hasData, type Machine, type MachineOptions, nodeMachine } from '../platform.ts';
import { broughtApps } from './brought-apps.ts';
import { duration, failureLine, UsageError } from './complaint.ts';
import { confirm } from './confirm.ts';
import type { AccountSession, CredentialsFile } from './credentials.ts';
import { checkFolder } from './data.ts';
import { emptiness, eraseData } from './folder.ts';
import { checkAccounts, openLeaving, type SignInFiles, signInFiles } from './leaving.ts';
import { type Notes, readNotes } from './notes.ts';
import type { SignOutOptions } from './options.ts';
import { leaveOne } from './sign-out-one.ts';
import type { Terminal } from './terminal.ts';
import { unsentLines } from './unsent.ts';

/**
 * Errors: `UsageError`, `Failure` (somebody said no), `StorageError` (a sync is running),
 * `SyncError`.
 */
export async function signOut(options: SignOutOptions, terminal: Terminal): Promise<void> {
  const { directory, forgetCredentials, allowHttp, remote } = options;
  checkFolder(directory);
  const notes = readNotes(directory);
  const files = signInFiles(options, notes);
  const said: string[] = [];
  if (remote !== null) {
    const other = [...files.keys()].find((name) => name !== remote);
    if (other !== undefined) {
      throw new UsageError(`--credentials ${other}=FILE: only ${remote} is left`);
    }
    await leaveOne(options, remote, notes, files, terminal);
  } else {
    let brought: readonly string[] = [];
    if (hasData(directory)) brought = await leave(options, notes, files, terminal);
    else await confirm(terminal, question(options, files, null), options.yes);
    const left = existsSync(directory) ? await eraseData(directory, brought) : [];
    said.push(emptiness(directory, left));
  }
  for (const [name, { path, file }] of files) {
    const whose = files.size > 1 ? `${name}: ` : '';
    said.push(whose + (await giveBack(file, { ...terminal.machine, allowHttp })));
    if (forgetCredentials) removeFile(path);
    said.push(`${path} is ${forgetCredentials ? 'removed' : 'kept'}`);
  }
  if (said.length > 0) terminal.complain(`${said.join('\n')}\n`);
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
  if ('password' in token) return 'the name and the password stay what they are on the server';
  if ('session' in token) return endOf(token, options);
  if ('accessToken' in token) return 'the access token cannot be given back: it ends by itself';
  const client = { apiUrl: token.oauthUrl, clientId: token.clientId };
  return saidOf(options, (machine) => revokeToken(machine, client, token.refreshToken));
}

function endOf(
  { session, accountsUrl }: AccountSession,
  options: MachineOptions | undefined,
): Promise<string> {
  return saidOf(options, (machine) => revokeSession(machine, accountsUrl, session));
}

async function saidOf(
  options: MachineOptions | undefined,
  giveBack: (machine: Machine) => Promise<void>,
): Promise<string> {
  const machine = nodeMachine(options);
  const told = giveBack(machine).then(
    () => 'the accounts server has taken the sign-in back',
    (error: unknown) => {
      if (!(error instanceof SyncError)) throw error;
      return `the accounts server still knows the sign-in: ${failureLine(error.shown)}`;
    },
  );
  const late = machine.clock.sleep(GIVE_BACK_MS_MAX).then(() => {
    const waited = duration(GIVE_BACK_MS_MAX);
    return `the accounts server may still know the sign-in: it has not answered for ${waited}`;
  });
  return Promise.race([told, late]).finally(machine.stop);
}

/** Somebody waits for the command to end. */
const GIVE_BACK_MS_MAX = 10_000;

/**
 * Opens the folder as the last sync had it, asks, and says goodbye to the servers. Resolves to the
 * apps that the account has brought; where the state is lost, that is not known.
 */
async function leave(
  options: SignOutOptions,
  notes: Notes,
  files: SignInFiles,
  terminal: Terminal,
): Promise<readonly string[]> {
  const { directory, yes } = options;
  let isAgreed = false;
  const opening = openLeaving({ options, notes, files, name: null, terminal }, () => isAgreed);
  const data = await opening.catch((error: unknown) => {
    // Whose data it is is lost with the state: there is nobody to say goodbye for.
    const isLost = error instanceof SyncError && error.code === 'damaged';
    if (isLost && error.detail.stored === 'state') return null;
    throw error;
  });
  if (data === null) {
    await confirm(terminal, question(options, files, null), yes);
    return [];
  }
  try {
    checkAccounts(data, files, directory);
    await confirm(terminal, question(options, files, data.agent.status()), yes);
    isAgreed = files.size > 0 && notes.remote !== null;
    if (isAgreed) await data.agent.disable();
    return await broughtApps(data.storage);
  } finally {
    await data.close();
  }
}

function question(
  { directory, forgetCredentials }: SignOutOptions,
  files: SignInFiles,
  status: Status | null,
): string {
  return [
    `This removes all that was synced from ${directory}, and the key that it is sealed under.`,
    ...(existsSync(join(directory, APPS_FOLDER))
      ? ['Web apps that were installed on this computer stay in its folder apps.']
      : []),
    ...(status === null ? [] : unsentLines(status)),
    ...[...files.values()].map(({ path }) => `The sign-in in ${path} ends.`),
    ...(forgetCredentials
      ? [files.size > 1 ? 'These files are removed, too.' : 'That file is removed, too.']
      : []),
    'What is on the server, and on your other devices, stays.',
  ].join('\n');
}
