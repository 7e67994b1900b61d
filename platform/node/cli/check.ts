// `kitsync check`: reads all that the folder holds, and tells what is damaged. What cannot be read
// is set aside, and the next sync fetches it again where the server has it. With `--repair` whole
// collections are fetched again.

import { existsSync } from 'node:fs';
import { type AgentEvent, type Status, SyncError } from '../../../agent/index.ts';
import { StorageError } from '../../storage-rules.ts';
import { hasData } from '../platform.ts';
import { openNodeStorage } from '../storage.ts';
import { Failure, failureLine, UsageError } from './complaint.ts';
import { connectControl } from './control.ts';
import { checkFolder, type Data, socketOf } from './data.ts';
import { checkCollections, knownServices } from './known-services.ts';
import { openAlone } from './local.ts';
import { missingOf } from './missing.ts';
import { readNotes } from './notes.ts';
import type { CheckOptions } from './options.ts';
import { letterOf, placeOf } from './stored.ts';
import { printable, type Terminal } from './terminal.ts';

type Damage = Extract<AgentEvent, { kind: 'damaged' }>;

/** Exit code 1 if something is damaged, or waits to be fetched again. Errors: those of `list`. */
export async function check(options: CheckOptions, terminal: Terminal): Promise<number> {
  const { directory, words, isRepair, json, remote } = options;
  const services = knownServices(readNotes(directory), remote);
  checkCollections(services, words);
  checkFolder(directory);
  if (!existsSync(directory) || !hasData(directory)) {
    throw new UsageError(`${directory} holds no data yet: \`kitsync sync\` fetches some`);
  }
  const running = await connectControl(socketOf(directory));
  if (running !== null) {
    running.close();
    throw new Failure('a sync is running on the folder: end it first');
  }
  const chosen = services.map((service) => ({
    ...service,
    collections: service.collections.filter((one) => words.length === 0 || words.includes(one)),
  }));
  if (isRepair) await markForRepair(directory, chosen);
  const told: Damage[] = [];
  const data = await open(directory, told);
  try {
    const lost: string[] = [];
    for (const { name, collections } of chosen) {
      if (isLost(data, name)) lost.push(name);
      else for (const collection of collections) await readAll(data, collection, told);
    }
    const { collections } = remote === null ? data.agent.status() : data.agent.status(remote);
    if (json) terminal.write(`${JSON.stringify({ damaged: told, collections })}\n`);
    else for (const row of rowsOf(told, collections)) terminal.write(lineOf(row));
    if (lost.length > 0) throw lossOf(data, lost);
    return isRepair || missingOf(collections).length === 0 ? 0 : 1;
  } finally {
    await data.close();
  }
}

function open(directory: string, told: Damage[]): Promise<Data> {
  return openAlone(directory, (json) => {
    const event = JSON.parse(json) as AgentEvent;
    if (event.kind === 'damaged') told.push(event);
  });
}

/** Whose data it is cannot be read. Where it is so for all of a folder, nothing is opened. */
function isLost({ agent }: Data, service: string): boolean {
  const { account, error } = agent.status(service);
  return account === null && error !== null;
}

function lossOf({ agent }: Data, services: readonly string[]): Failure {
  const words = services.map((name) => {
    const { error } = agent.status(name);
    return `${name}: ${error === null ? '' : failureLine(error)}`;
  });
  const commands = services.map((name) => `\`kitsync sign-out --remote ${name}\``);
  return new Failure(
    `${words.join(', ')} - whose data it is is lost: ${commands.join(' and ')} removes it, ` +
      'and a sync fetches it anew',
  );
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

function lineOf(row: readonly string[]): string {
  return `${row.map(printable).join('\t')}\n`;
}

function* rowsOf(
  told: readonly Damage[],
  collections: Status['collections'],
): Iterable<readonly string[]> {
  for (const { collection, records, lost } of told) {
    for (const id of records) yield [collection, id, 'damaged: the next sync fetches it again'];
    for (const id of lost) yield [collection, id, 'damaged: a change that was not sent is lost'];
  }
  const missing = missingOf(collections);
  for (const [name, { held, damaged, lost }] of Object.entries(collections)) {
    if (held === 0 && !missing.includes(name)) continue;
    const waits = damaged > 0 ? ', to be fetched again by the next sync' : '';
    yield [name, `${held} held${waits}${lost > 0 ? `, ${lost} unsent changes lost` : ''}`];
  }
}

/** No collection's state reads like this: it is then made anew, and everything is asked for. */
const UNREADABLE = 'repair';
/** Its key, behind the place of a service: see agent/store/layout.ts. */
const STATE = /^[0-9a-z]+\.([^.]+)\.c$/;
const KEYS_MAX = 10_000_000;

async function markForRepair(
  directory: string,
  services: ReturnType<typeof knownServices>,
): Promise<void> {
  const storage = await openNodeStorage(directory);
  const wanted = services.flatMap(({ name, collections }) =>
    collections.map((collection) => ({ place: placeOf(name), letter: letterOf(collection) })),
  );
  const isWanted = (key: string): boolean =>
    wanted.some(
      ({ place, letter }) =>
        key.startsWith(place) && STATE.exec(key.slice(place.length))?.[1] === letter,
    );
  try {
    const keys = await storage.scan({ from: '0', to: '~', limit: KEYS_MAX });
    const states = keys.filter(isWanted);
    if (states.length > 0) await storage.commit(states.map((key) => [key, UNREADABLE] as const));
  } catch (error) {
    // A store that is damaged as a whole is mended as one.
    if (!(error instanceof StorageError) || error.code !== 'damaged') throw error;
  } finally {
    storage.close();
  }
}
