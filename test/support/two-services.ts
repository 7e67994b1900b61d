// One folder and two services on the loopback, for tests of the commands: `home` is the first, with
// five pages, `work` the further one, with another account and a collection of an app's own.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Serving, serveOnLoopback } from '../../emulator/servers/serve.ts';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { credentialsOf, type Run, run, serveAccount } from './commands.ts';
import { temporaryFolder } from './folders.ts';
import { freePort } from './ports.ts';

interface TwoServices {
  readonly home: Serving;
  readonly work: Serving;
  readonly folder: string;
  /** Of the synced data. */
  readonly data: string;
  /** Files. */
  readonly credentials: { readonly home: string; readonly work: string };
  /** What tells a command where both are, and who syncs there. */
  readonly places: readonly string[];
  /** `sync --once` with both. */
  readonly args: readonly string[];
  /** Another command on the folder. */
  on(command: string, ...more: string[]): Promise<Run>;
  /** What is in `status --json`. */
  status(): Promise<ReturnType<typeof JSON.parse>>;
  /** The folder's notes, changed. */
  changeNotes(change: (notes: ReturnType<typeof JSON.parse>) => void): void;
  close(): Promise<void>;
}

export async function twoServices(): Promise<TwoServices> {
  const home = await serveAccount(5);
  const own = new Map([['notes', 4]]);
  const account = { ...syntheticAccount({ records: 0, seed: 2, own }), email: 'work@example.test' };
  const work = await serveOnLoopback({ port: await freePort(), account });
  const folder = temporaryFolder();
  const data = join(folder, 'data');
  const credentials = {
    home: await credentialsOf(home, join(folder, 'home.json')),
    work: await credentialsOf(work, join(folder, 'work.json')),
  };
  const places = [
    ...['--token-server', home.world.urls.token, '--credentials', credentials.home],
    ...['--remote', 'work=sync15:notes', '--token-server', `work=${work.world.urls.token}`],
    ...['--credentials', `work=${credentials.work}`],
  ];
  const on = (command: string, ...more: string[]) => run([command, '--data', data, ...more]);
  return {
    ...{ home, work, folder, data, credentials, places, on },
    args: ['sync', '--once', '--data', data, ...places],
    status: async () => JSON.parse((await on('status', '--json')).out),
    changeNotes(change) {
      const path = join(data, 'notes.json');
      const notes = JSON.parse(readFileSync(path, 'utf8'));
      change(notes);
      writeFileSync(path, JSON.stringify(notes), { mode: 0o600 });
    },
    async close() {
      await home.close();
      await work.close();
    },
  };
}
