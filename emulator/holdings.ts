// What a device holds, read through the same local API that its apps use, a page at a time.

import type { Device } from './device/device.ts';
import type { Holdings, Login, Page } from './expected.ts';
import { APPS } from './owa-side.ts';

/** Records in one answer: as many as an app would show at once. */
const LIST_LIMIT = 20;

/** All pages and logins of the device, as far as they are of these collections. */
export async function readHoldings(
  device: Device,
  collections: readonly string[] = ['history', 'passwords'],
): Promise<Holdings> {
  const all = async <T>(name: string): Promise<T[]> =>
    collections.includes(name) ? readAll<T>(device, name) : [];
  return { history: await all<Page>('history'), logins: await all<Login>('passwords') };
}

/**
 * The records of one collection, as apps see them; of web apps without what the device has of its
 * own.
 */
export async function readRecords(
  device: Device,
  collection: string,
): Promise<Readonly<Record<string, unknown>>[]> {
  if (collection !== APPS) return readAll(device, collection);
  const apps = await readAll<Readonly<Record<string, unknown>>>(device, APPS, { purpose: 'all' });
  return apps.map(({ sync: _sync, here: _here, ...shared }) => shared);
}

/** One page of history, or null. */
export async function readPage(device: Device, id: string): Promise<Page | null> {
  const { record } = (await device.command('get', { collection: 'history', id })) as {
    record: Page | null;
  };
  return record;
}

async function readAll<T>(device: Device, collection: string, more: object = {}): Promise<T[]> {
  const all: T[] = [];
  let after: string | null = null;
  do {
    const query = { ...more, collection, limit: LIST_LIMIT, ...(after === null ? {} : { after }) };
    const answer = (await device.command('list', query)) as { records: T[]; next: string | null };
    for (const record of answer.records) all.push(record);
    after = answer.next;
  } while (after !== null);
  return all;
}
