// A folder on which a sync runs, whose agent says what a test wants it to say: for the commands
// that ask it. The agent is made up; the socket, the notes and the terminal are the real ones.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Status } from '../../agent/index.ts';
import { serveControl } from '../../platform/node/cli/control.ts';
import { socketOf } from '../../platform/node/cli/data.ts';
import { type Notes, readNotes, writeNotes } from '../../platform/node/cli/notes.ts';
import type { LocalOptions } from '../../platform/node/cli/options.ts';
import { testTerminal } from './commands.ts';
import { temporaryFolder } from './folders.ts';

type Api = Parameters<typeof serveControl>[1];
type Collection = Status['collections'][string];

export const REMOTE = {
  ...{ protocol: 'sync15', serverUrl: 'https://h', audience: 'https://h/' },
  auth: 'bearer',
} as const;

/** A collection in which all is well. */
export function collection(more: Partial<Collection> = {}): Collection {
  const counts = { held: 0, pending: 0, quarantined: 0, unknownForm: 0, damaged: 0, lost: 0 };
  const flags = { enabled: true, readOnly: false, declined: false, absent: false, stopped: null };
  return { ...counts, ...flags, ...more } as Collection;
}

/** A status in which all is well. */
export function status(more: Partial<Status> = {}): Status {
  return {
    ...{ state: 'enabled', account: 'a@example.test', lastSyncMs: null, error: null },
    ...{ notBeforeMs: null, alert: null, quotaRemainingBytes: null, collections: {} },
    ...more,
  };
}

/** `run` runs a command on it; what is asked for and not given is a fault of the test. */
export async function runningSync(api: Partial<Api>, notes: Partial<Notes> = {}) {
  const directory = temporaryFolder();
  // There is data in it, which nobody looks at while a sync answers.
  writeFileSync(join(directory, 'store'), '');
  await writeNotes(directory, { ...readNotes(directory), ...notes });
  const close = await serveControl(socketOf(directory), api as Api);
  return {
    directory,
    close,
    async run<Options extends LocalOptions, Outcome>(
      command: (options: Options, terminal: ReturnType<typeof testTerminal>) => Promise<Outcome>,
      more: Partial<Options> = {},
    ) {
      const terminal = testTerminal();
      const plain = { directory, json: false, remote: null, words: [] };
      const outcome = await command({ ...plain, ...more } as unknown as Options, terminal);
      return { out: terminal.out, complaints: terminal.complaints, outcome };
    },
  };
}
