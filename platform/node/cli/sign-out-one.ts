// `kitsync sign-out --remote NAME`: one service of a folder is left, with all that was synced from
// it. The others stay as they are: they are not asked for anything meanwhile.

import { SyncError } from '../../../agent/index.ts';
import type { Identity } from '../../ports.ts';
import { UsageError } from './complaint.ts';
import { confirm } from './confirm.ts';
import type { CredentialsFile } from './credentials.ts';
import { openInTurn } from './data.ts';
import { checkAccount, identityOf, nobody } from './identity.ts';
import { readNotes, writeNotes } from './notes.ts';
import type { SignOutOptions } from './options.ts';
import { FIRST } from './service.ts';
import type { Terminal } from './terminal.ts';

/** Errors: `UsageError` (there is no such service), `Failure`, `StorageError`, `SyncError`. */
export async function leaveOne(
  { directory, credentialsFile, allowHttp, yes }: SignOutOptions,
  name: string,
  credentials: CredentialsFile | null,
  terminal: Terminal,
): Promise<void> {
  const notes = readNotes(directory);
  const { [name]: left, ...kept } = notes.remotes;
  const names = [FIRST, ...Object.keys(notes.remotes)];
  if (!names.includes(name)) {
    throw new UsageError(`--remote: the folder has no "${name}", but ${names.join(', ')}`);
  }
  let isAgreed = false;
  const identityAt = (of: string) => (machine: Parameters<typeof identityOf>[1], key: Key) =>
    of !== name
      ? notAsked(key)
      : credentials === null || credentialsFile === null
        ? nobody(key)
        : identityOf(credentials, machine, key, credentialsFile);
  const data = await openInTurn({
    ...terminal.machine,
    ...{ directory, allowHttp, device: notes.device, own: notes.own, others: notes.remotes },
    remote: notes.remote,
    intervalMs: 0,
    identity: identityAt(FIRST),
    identityOf: (of, machine, key) => identityAt(of)(machine, key),
    connection: () => (isAgreed ? 'wifi' : 'none'),
    shell: { status: () => undefined, event: () => undefined },
  });
  try {
    const { account, collections } = data.agent.status(name);
    if (credentials !== null) checkAccount(account, credentials, directory);
    const unsent = Object.values(collections).reduce((sum, { pending }) => sum + pending, 0);
    const lost = unsent === 0 ? '' : `\nNot sent yet, and lost then: ${unsent} of your changes.`;
    const what = `This removes what was synced with ${name} from ${directory}.${lost}`;
    await confirm(terminal, what, yes);
    isAgreed = credentials !== null;
    await data.agent.disable(name);
    if (left !== undefined) await writeNotes(directory, { ...notes, remotes: kept });
  } finally {
    data.close();
  }
  terminal.complain(`signed out of ${name}: nothing of it is left in ${directory}\n`);
}

type Key = Identity['deviceKey'];

/** Whoever is signed in to another service is, and stays so. */
function notAsked(deviceKey: Key): Identity {
  const refuse = async (): Promise<never> => {
    throw new SyncError('offline', 'this command asks no other service');
  };
  return { account: refuse, assertion: refuse, accessToken: refuse, syncKey: refuse, deviceKey };
}
