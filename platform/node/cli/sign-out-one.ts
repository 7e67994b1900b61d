// `kitsync sign-out --remote NAME`: one service of a folder is left, with all that was synced from
// it. The others stay as they are: they are not asked for anything meanwhile.

import { broughtApps, removeApps } from './brought-apps.ts';
import { confirm } from './confirm.ts';
import { APPS } from './contents.ts';
import { knownServices } from './known-services.ts';
import { checkAccounts, openLeaving, type SignInFiles } from './leaving.ts';
import { type Notes, writeNotes } from './notes.ts';
import type { SignOutOptions } from './options.ts';
import type { Terminal } from './terminal.ts';
import { unsentLines } from './unsent.ts';

/** Errors: `UsageError` (there is no such service), `Failure`, `StorageError`, `SyncError`. */
export async function leaveOne(
  options: SignOutOptions,
  name: string,
  notes: Notes,
  files: SignInFiles,
  terminal: Terminal,
): Promise<void> {
  const { directory, yes } = options;
  const [service] = knownServices(notes, name);
  const { [name]: left, ...kept } = notes.remotes;
  let isAgreed = false;
  const data = await openLeaving({ options, notes, files, name, terminal }, () => isAgreed);
  try {
    checkAccounts(data, files, directory);
    const what = `This removes what was synced with ${name} from ${directory}.`;
    await confirm(terminal, [what, ...unsentLines(data.agent.status(name))].join('\n'), yes);
    isAgreed = files.size > 0;
    await data.agent.disable(name);
    if (service?.collections.includes(APPS))
      await removeApps(directory, await broughtApps(data.storage));
    if (left !== undefined) await writeNotes(directory, { ...notes, remotes: kept });
  } finally {
    await data.close();
  }
  terminal.complain(`signed out of ${name}: nothing of it is left in ${directory}\n`);
}
