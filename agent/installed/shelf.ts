// What the user sees of the apps on this device: those of its own, those from elsewhere, and what
// was put where by hand. Said to apps with their records; kept here, and never sent.

import { wireIdOf } from '../api/record-id.ts';
import type { ListQuery, ListResult } from '../api/records.ts';
import type { Body } from '../collections/collection.ts';
import { nameOf } from '../collections/installed-entry.ts';
import { webOrigin } from '../collections/installed-origin.ts';
import { badInput, SyncError } from '../errors.ts';
import { LIST_CHARS_MAX, LIST_MAX, SYSTEM_APPS_MAX } from '../limits.ts';
import { NO_ENTRY, visible } from '../store/record.ts';
import type { CollectionStore } from '../store/store.ts';
import { NEW_ROW, type Row } from './row.ts';
import type { Work } from './work.ts';

const PURPOSES = ['own', 'remote', 'pick', 'hidden', 'all'] as const;
type Purpose = NonNullable<ListQuery['purpose']>;

/** What is said of an app beside its record. */
interface Here {
  readonly promoted: boolean;
  readonly hidden: boolean;
  /** `waiting`: the system will have it; `incompatible`: it cannot use this one. */
  readonly state: 'installed' | 'waiting' | 'incompatible' | 'absent';
}

/** One after the other, each newest first. */
const GROUPS: { readonly [purpose in Purpose]: readonly Group[] } = {
  own: ['own', 'promoted'],
  remote: ['remote'],
  pick: ['own', 'promoted', 'remote'],
  hidden: ['hidden'],
  all: ['all'],
};
type Group = 'own' | 'promoted' | 'remote' | 'hidden' | 'all';

/** Errors: `badInput` names the member and the limit; those of the store. */
export async function listApps(
  work: Work,
  store: CollectionStore,
  query: ListQuery,
): Promise<ListResult> {
  const { limit, prefix } = query;
  const { groups, place } = startOf(store, query);
  const records: Body[] = [];
  let chars = 0;
  let [group] = groups;
  let after = place;
  for (let rest = [...groups]; group !== undefined; ) {
    const start = indexStart(store, prefix);
    const found = await store.indexed({ prefix: start, limit: SYSTEM_APPS_MAX, after });
    for (const [at, id] of found.ids.entries()) {
      const here = found.places[at] ?? '';
      const body = await chosen(work, store, { id, place: here, group, prefix });
      chars += body === null ? 0 : JSON.stringify(body).length;
      const isFull = records.length === limit || chars > LIST_CHARS_MAX;
      if (body !== null && isFull && records.length > 0) {
        return { records, next: `${group} ${after ?? ''}` };
      }
      if (body !== null) records.push(body);
      after = here;
    }
    await work.platform.clock.pause();
    if (found.next !== null) continue;
    rest = rest.slice(1);
    [group] = rest;
    after = null;
  }
  return { records, next: null };
}

/** Where a list begins, or goes on. Errors: `badInput`. */
function startOf(
  store: CollectionStore,
  { purpose = 'own', limit, prefix, after = null, parent }: ListQuery,
): { groups: readonly Group[]; place: string | null } {
  if (!PURPOSES.includes(purpose)) throw badInput(`purpose: not one of ${PURPOSES.join(', ')}`);
  if (!Number.isInteger(limit) || limit < 1 || limit > LIST_MAX) {
    throw badInput(`limit: not an integer from 1 to ${LIST_MAX}`);
  }
  if (prefix !== undefined && typeof prefix !== 'string') throw badInput('prefix: not a string');
  if (parent !== undefined) throw badInput('parent: there are no folders here');
  const all = GROUPS[purpose];
  if (after === null) return { groups: all, place: null };
  const [word, place = '', more] = typeof after === 'string' ? after.split(' ') : [];
  const at = all.indexOf(word as Group);
  const start = store.keys.indexes + indexStart(store, prefix);
  const isPlace = place === '' || (place.startsWith(start) && /^[!-~]{1,239}$/.test(place));
  if (at < 0 || more !== undefined || !isPlace) {
    throw badInput('after: not the next of a list like this');
  }
  return { groups: all.slice(at), place: place === '' ? null : place };
}

function indexStart({ collection }: CollectionStore, prefix?: string): string {
  return prefix === undefined ? 'u' : collection.addressPrefix(prefix);
}

interface Place {
  readonly id: string;
  readonly place: string;
  readonly group: Group;
  readonly prefix: string | undefined;
}

/** As apps see it; null if it is not in this group. */
async function chosen(
  work: Work,
  store: CollectionStore,
  { id, place, group, prefix }: Place,
): Promise<Body | null> {
  const known = originIn(store, place);
  if (known !== null && !(await isIn(work, known, group))) return null;
  const [entry = NO_ENTRY] = await store.load([id]);
  const body = visible(entry);
  if (body === null || store.collection.isEmpty(body)) return null;
  const origin = nameOf(body);
  if (known === null && !(await isIn(work, origin, group))) return null;
  if (prefix !== undefined && !store.collection.matches(body, prefix)) return null;
  return marked(work, store.collection.view(id, body), origin);
}

/** Most origins are whole in the index: their records need not be loaded to be passed over. */
function originIn({ keys }: CollectionStore, place: string): string | null {
  const end = place.lastIndexOf('!');
  const address = place.slice(0, end).indexOf('http', keys.indexes.length);
  const origin = place.slice(address, end);
  const isWhole = address > 0 && origin.length < INDEXED_CHARS && webOrigin(origin) === origin;
  return isWhole ? origin : null;
}

/** A longer one is in the index by its start and its end. */
const INDEXED_CHARS = 40;

async function isIn({ rows }: Work, origin: string, group: Group): Promise<boolean> {
  if (group === 'all') return true;
  const [row = null] = await rows.read([origin]);
  return groupOf(row ?? NEW_ROW) === group;
}

/** An app that nothing was noted of has come from elsewhere. */
function groupOf({ sync, promoted, hidden }: Row): Group {
  if (hidden) return 'hidden';
  return sync ? (promoted ? 'promoted' : 'remote') : 'own';
}

/** What apps see of an app, and what this device says of it. */
export async function marked(work: Work, view: Body, origin: string): Promise<Body> {
  const [row = null] = await work.rows.read([origin]);
  const { sync, promoted, hidden, tag, intent, refused } = row ?? NEW_ROW;
  const isAt = tag !== '' && intent === '';
  const state = refused !== '' ? 'incompatible' : isAt ? 'installed' : 'waiting';
  const here: Here = { promoted, hidden, state: work.apps === undefined ? 'absent' : state };
  return { ...view, sync, here };
}

/**
 * Changes what is noted of an app that there is; resolves when it is durable. Errors: `badInput`,
 * `notFound`, those of the store.
 */
export function change(work: Work, id: string, to: Partial<Row>): Promise<string> {
  return work.lock.run(async () => {
    const origin = await work.reading(async (store) => {
      const wireId = wireIdOf(store.collection, id);
      const [entry = NO_ENTRY] = await store.load([wireId]);
      const body = visible(entry);
      if (body !== null && !store.collection.isEmpty(body)) return nameOf(body);
      const detail = { collection: store.collection.name, recordId: id };
      throw new SyncError('notFound', 'there is no such app', detail);
    });
    const [row = null] = await work.rows.read([origin]);
    await work.rows.write(origin, { ...NEW_ROW, ...row, ...to });
    return origin;
  });
}
