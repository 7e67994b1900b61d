// The commands on what was synced before: list, devices, export; edits.ts has put and delete. They
// ask no server. Where a sync runs on the folder they ask it, and else they open the folder
// themselves for a moment.

import { setTimeout } from 'node:timers/promises';
import { InUseError } from '../lock.ts';
import { hasData } from '../platform.ts';
import { calledBy } from '../vcard/card.ts';
import { Failure, UsageError } from './complaint.ts';
import { COLLECTIONS, cardOf } from './contents.ts';
import { connectControl, type LocalApi, localApi } from './control.ts';
import { checkFolder, type Data, openData, RETRY_MS, socketOf, TURN_MS } from './data.ts';
import { nobody } from './identity.ts';
import { knownServices } from './known-services.ts';
import { missingOf } from './missing.ts';
import { readNotes } from './notes.ts';
import type { ExportOptions, ListOptions, LocalOptions } from './options.ts';
import { writeOutput } from './private-files.ts';
import { printable, printableJson, type Terminal } from './terminal.ts';

type Listed = Awaited<ReturnType<LocalApi['list']>>['records'][number];

/** Records that are asked for at once. */
const PAGE_RECORDS = 500;

/** Errors of all of these: `UsageError`, `Failure`, `StorageError`, `SyncError`. */
export async function list(options: ListOptions, terminal: Terminal): Promise<void> {
  const { directory, words, prefix, limit, json } = options;
  await withApi(directory, async (api) => {
    const records = recordsOf(api, words[0] ?? '', limit, prefix === null ? {} : { prefix });
    if (json) {
      for await (const piece of jsonList(records)) terminal.write(piece);
      terminal.write('\n');
    } else {
      for await (const record of records) terminal.write(recordRow(words[0] ?? '', record));
    }
  });
}

/** The other devices of each account, the one seen last first. */
export async function devices(options: LocalOptions, terminal: Terminal): Promise<void> {
  const { directory, json, remote } = options;
  const services = knownServices(readNotes(directory), remote);
  await withApi(directory, async (api) => {
    if (readNotes(directory).device === null) {
      throw new Failure('with --no-device or --read-only, the other devices are not known');
    }
    const listing = services.filter(({ whyNoDevices }) => whyNoDevices === null);
    if (listing.length === 0) throw new Failure(services[0]?.whyNoDevices ?? '');
    const { remotes } = await api.status();
    const found: Listed[] = [];
    for (const { name: service } of listing) {
      // Who is signed out of one has the devices of the others.
      if (remotes?.[service]?.state === 'disabled' && services.length > 1) continue;
      const others = await api.devices(service);
      found.push(...others.map((other) => ({ ...other, ...(remotes && { service }) })));
    }
    if (json) return terminal.write(`${printableJson(found)}\n`);
    for (const { name, type, os, application, lastSeenMs, service } of found) {
      const day = new Date(Number(lastSeenMs)).toLocaleDateString('sv-SE');
      const cells = [name, type, os, application, day];
      terminal.write(row(service === undefined ? cells : [...cells, service]));
    }
  });
}

/** All records by collection, as JSON; the passwords are called `logins`. */
export async function exportAll(options: ExportOptions, terminal: Terminal): Promise<void> {
  await withApi(options.directory, async (api) => {
    const pieces = exported(api);
    if (options.file !== null) return writeOutput(options.file, pieces);
    for await (const piece of pieces) terminal.write(piece);
  });
}

/** The agent on the folder: the one that runs there, or one of our own for the time of the work. */
export async function withApi(
  directory: string,
  work: (api: LocalApi, isRunning: boolean) => Promise<void>,
): Promise<void> {
  checkFolder(directory);
  if (!hasData(directory)) {
    throw new UsageError(`${directory} holds no data yet: \`kitsync sync\` fetches some`);
  }
  for (let waitedMs = 0; ; waitedMs += RETRY_MS) {
    const running = await connectControl(socketOf(directory));
    if (running !== null) return work(running, true).finally(running.close);
    const data = await openAlone(directory).catch((error: unknown) => {
      if (error instanceof InUseError && waitedMs < TURN_MS) return null;
      throw error;
    });
    if (data !== null) return work(localApi(data), false).finally(data.close);
    await setTimeout(RETRY_MS);
  }
}

/**
 * Without an account and without a network; `event` gets the agent's events as JSON. Errors: those
 * of `openData`.
 */
export function openAlone(
  directory: string,
  event: (json: string) => void = () => undefined,
): Promise<Data> {
  const { device, remotes, own, remote, strategies } = readNotes(directory);
  return openData({
    directory,
    remote: null,
    protocol: remote?.protocol,
    ...{ device, own, strategies, others: remotes },
    intervalMs: 0,
    identity: (_, deviceKey) => nobody(deviceKey),
    identityOf: (_name, _machine, deviceKey) => nobody(deviceKey),
    connection: () => 'none',
    shell: { status: () => undefined, event },
  });
}

/** Records of a collection in the order of the list, at most so many. */
export async function* recordsOf(
  api: LocalApi,
  collection: string,
  limit: number,
  which: Pick<Parameters<LocalApi['list']>[1], 'prefix' | 'purpose'> = {},
): AsyncGenerator<Listed> {
  let left = limit;
  let after: string | null = null;
  // Of web apps a device shows its own, if nothing is said.
  const whole = collection === 'apps' ? { purpose: 'all' as const } : {};
  do {
    const query = { ...whole, ...which, limit: Math.min(left, PAGE_RECORDS), after };
    const page: Awaited<ReturnType<LocalApi['list']>> = await api.list(collection, query);
    yield* page.records;
    left -= page.records.length;
    after = page.next;
  } while (after !== null && left > 0);
}

async function* jsonList(records: AsyncIterable<Listed>): AsyncGenerator<string> {
  let separator = '[\n';
  for await (const record of records) {
    yield separator + printableJson(record);
    separator = ',\n';
  }
  yield separator === '[\n' ? '[]' : '\n]';
}

async function* exported(api: LocalApi): AsyncGenerator<string> {
  const { collections } = await api.status();
  let separator = '{';
  for (const name of new Set([...COLLECTIONS, ...Object.keys(collections)])) {
    if (!ALWAYS_EXPORTED.includes(name) && !collections[name]?.held) continue;
    yield `${separator}\n"${name === 'passwords' ? 'logins' : name}": `;
    yield* jsonList(recordsOf(api, name, Number.POSITIVE_INFINITY));
    separator = ',';
  }
  yield '\n}\n';
  const missing = missingOf((await api.status()).collections);
  if (missing.length === 0) return;
  throw new Failure(
    `not all is there: parts of ${missing.join(', ')} were damaged; \`kitsync check\` tells more`,
  );
}

/** Whoever reads an export finds these in it, empty or not. */
const ALWAYS_EXPORTED = ['history', 'passwords'];

/** Without what is secret in a record. */
function recordRow(collection: string, record: Listed): string {
  const { guid, id, url, origin, name, title, username, clientName } = record;
  const card = cardOf(collection, record);
  const person = card === null ? undefined : calledBy(card);
  return row([guid ?? id, url ?? origin ?? name ?? person, title ?? username ?? clientName]);
}

function row(cells: readonly unknown[]): string {
  return `${cells.map((cell) => printable(`${cell ?? ''}`)).join('\t')}\n`;
}
