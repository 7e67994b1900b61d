// `kitsync check`: reads all that the folder holds, and tells what is damaged. What cannot be read
// is set aside, and the next sync fetches it again where the server has it. With `--repair` whole
// collections are fetched again.

import { existsSync } from 'node:fs';
import { type AgentEvent, type Status, SyncError } from '../../../agent/index.ts';
import { StorageError } from '../../storage-rules.ts';
import { hasData } from '../platform.ts';
import { openNodeStorage } from '../storage.ts';
import { Failure, UsageError } from './complaint.ts';
import { COLLECTIONS, contents } from './contents.ts';
import { connectControl } from './control.ts';
import { checkFolder, type Data, socketOf } from './data.ts';
import { openAlone } from './local.ts';
import { missingOf } from './missing.ts';
import type { CheckOptions } from './options.ts';
import { printable, type Terminal } from './terminal.ts';

type Damage = Extract<AgentEvent, { kind: 'damaged' }>;

/** Exit code 1 if something is damaged, or waits to be fetched again. Errors: those of `list`. */
export async function check(options: CheckOptions, terminal: Terminal): Promise<number> {
  const { directory, words, isRepair, json } = options;
  const unknown = words.find((name) => !COLLECTIONS.includes(name));
  if (unknown !== undefined) throw new UsageError(`there is no collection "${unknown}"`);
  checkFolder(directory);
  if (!existsSync(directory) || !hasData(directory)) {
    throw new UsageError(`${directory} holds no data yet: \`kitsync sync\` fetches some`);
  }
  const running = await connectControl(socketOf(directory));
  if (running !== null) {
    running.close();
    throw new Failure('a sync is running on the folder: end it first');
  }
  if (isRepair) await markForRepair(directory, words.length > 0 ? words : COLLECTIONS);
  const told: Damage[] = [];
  const data = await open(directory, told);
  try {
    const names = words.length > 0 ? words : COLLECTIONS;
    for (const name of names) await readAll(data, name, told);
    const { collections } = data.agent.status();
    if (json) terminal.write(`${JSON.stringify({ damaged: told, collections })}\n`);
    else for (const line of linesOf(told, collections)) terminal.write(`${printable(line)}\n`);
    return isRepair || missingOf(collections).length === 0 ? 0 : 1;
  } finally {
    data.close();
  }
}

function open(directory: string, told: Damage[]): Promise<Data> {
  return openAlone(directory, (json) => {
    const event = JSON.parse(json) as AgentEvent;
    if (event.kind === 'damaged') told.push(event);
  });
}

/** Reading a damaged record has its collection mended: then the rest can be read. */
async function readAll({ agent }: Data, name: string, told: Damage[]): Promise<void> {
  for (;;) {
    const before = told.length;
    try {
      let after: string | null = null;
      do {
        const page: Awaited<ReturnType<typeof agent.list>> = await agent.list(name, {
          limit: 500,
          after,
        });
        after = page.next;
      } while (after !== null);
      return;
    } catch (error) {
      const isMended = error instanceof SyncError && error.code === 'damaged';
      if (!isMended || told.length === before) throw error;
    }
  }
}

function* linesOf(told: readonly Damage[], collections: Status['collections']): Iterable<string> {
  for (const { collection, records, lost } of told) {
    for (const id of records) yield `${collection}\t${id}\tdamaged: the next sync fetches it again`;
    for (const id of lost)
      yield `${collection}\t${id}\tdamaged: a change that was not sent is lost`;
  }
  const missing = missingOf(collections);
  for (const [name, { held, damaged, lost }] of Object.entries(collections)) {
    if (held === 0 && !missing.includes(name)) continue;
    const waits = damaged > 0 ? ', to be fetched again by the next sync' : '';
    yield `${name}\t${held} held${waits}${lost > 0 ? `, ${lost} unsent changes lost` : ''}`;
  }
}

/** No collection's state reads like this: it is then made anew, and everything is asked for. */
const UNREADABLE = 'repair';
/** Its key: see agent/store/layout.ts. */
const STATE = /^[0-9a-z]+\.([^.]+)\.c$/;
const KEYS_MAX = 10_000_000;

async function markForRepair(directory: string, names: readonly string[]): Promise<void> {
  const storage = await openNodeStorage(directory);
  const letters = contents.collections
    .filter(({ name }) => names.includes(name))
    .map(({ letter }) => letter);
  try {
    const keys = await storage.scan({ from: '0', to: '~', limit: KEYS_MAX });
    const states = keys.filter((key) => letters.includes(STATE.exec(key)?.[1] ?? ''));
    if (states.length > 0) await storage.commit(states.map((key) => [key, UNREADABLE] as const));
  } catch (error) {
    // A store that is damaged as a whole is mended as one.
    if (!(error instanceof StorageError) || error.code !== 'damaged') throw error;
  } finally {
    storage.close();
  }
}
