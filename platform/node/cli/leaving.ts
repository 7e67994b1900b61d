// A folder that is about to be signed out of, of one of its services or of all: who can tell their
// servers, and the agent on it, which asks nobody before its user has agreed.

import { join } from 'node:path';
import { SyncError } from '../../../agent/index.ts';
import type { Identity } from '../../ports.ts';
import { serverUrlOf } from '../server-url.ts';
import { removeDrafts } from '../whole-files.ts';
import { UsageError } from './complaint.ts';
import { type CredentialsFile, readCredentials } from './credentials.ts';
import { type Data, openInTurn } from './data.ts';
import { checkAccount, identityOf, nobody } from './identity.ts';
import { NOTES_FILE, type Notes } from './notes.ts';
import type { SignOutOptions } from './options.ts';
import { byName, FIRST } from './service.ts';
import type { Terminal } from './terminal.ts';

interface SignInFile {
  readonly path: string;
  readonly file: CredentialsFile;
}

/** By the names of services. */
export type SignInFiles = ReadonlyMap<string, SignInFile>;

/**
 * The credentials that were typed; a plain file is of the service that is left, else of the first.
 * Errors: `UsageError`.
 */
export function signInFiles(
  { credentials, remote, allowHttp }: SignOutOptions,
  { remotes }: Notes,
): SignInFiles {
  const typed = byName('--credentials', credentials, [FIRST, ...Object.keys(remotes)]);
  const files = new Map<string, SignInFile>();
  for (const [name, path] of typed) {
    const of = name ?? remote ?? FIRST;
    if (files.has(of)) throw new UsageError(`--credentials is there twice for ${of}`);
    const file = readCredentials(path, allowHttp);
    removeDrafts(path);
    files.set(of, { path, file });
  }
  return files;
}

interface Leaving {
  readonly options: SignOutOptions;
  readonly notes: Notes;
  /** Of those that are left. */
  readonly files: SignInFiles;
  /** The service that is left; null: all. */
  readonly name: string | null;
  readonly terminal: Terminal;
}

/**
 * `hasAgreed`: servers may be asked now. Errors: those of `openInTurn`; `ServerUrlRefused` for an
 * address in the notes, which people can change.
 */
export function openLeaving(
  { options, notes, files, name, terminal }: Leaving,
  hasAgreed: () => boolean,
): Promise<Data> {
  const { directory, allowHttp } = options;
  const placeOf = (of: string) => (of === FIRST ? notes.remote : notes.remotes[of]?.remote);
  for (const of of files.keys()) {
    const place = placeOf(of);
    if (!place) continue;
    const told = `the server in ${join(directory, NOTES_FILE)}`;
    serverUrlOf(told, `${place.serverUrl}`, { allowHttp });
  }
  const identityAt =
    (of: string) =>
    (machine: Parameters<typeof identityOf>[1], key: Identity['deviceKey']): Identity => {
      if (name !== null && of !== name) return notAsked(key);
      const known = files.get(of);
      return known ? identityOf(known.file, machine, key, known.path) : nobody(key);
    };
  return openInTurn({
    ...terminal.machine,
    ...{ directory, allowHttp, device: notes.device, own: notes.own, others: notes.remotes },
    ...{ remote: notes.remote, strategies: notes.strategies },
    intervalMs: 0,
    identity: identityAt(FIRST),
    identityOf: (of, machine, key) => identityAt(of)(machine, key),
    // Nothing is synced any more while somebody thinks about it.
    connection: () => (hasAgreed() ? 'wifi' : 'none'),
    shell: { status: () => undefined, event: () => undefined },
  });
}

/** Errors: `Failure`, where a file is not of who is signed in to its service. */
export function checkAccounts({ agent }: Data, files: SignInFiles, directory: string): void {
  for (const [name, { file }] of files) checkAccount(agent.status(name).account, file, directory);
}

/** Whoever is signed in to another service is, and stays so. */
function notAsked(deviceKey: Identity['deviceKey']): Identity {
  const refuse = async (): Promise<never> => {
    throw new SyncError('offline', 'this command asks no other service');
  };
  return { account: refuse, assertion: refuse, accessToken: refuse, syncKey: refuse, deviceKey };
}
