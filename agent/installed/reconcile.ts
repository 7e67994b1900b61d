// Brings the system's apps and the collection together, one app after the other: what arrived is
// installed, what was deleted is removed, what the user has done on the system goes into the
// collection. What is begun is noted before the system does it, so that a power cut in the middle
// is resolved by looking: nothing is installed twice, and nothing forgotten. Holds one app at a
// time. What the system cannot do now says nothing of the app: it is tried again.

import { jsonOf } from '../../crypto/engine.ts';
import type { Apps, ListedApp } from '../../platform/ports.ts';
import { webOrigin } from '../collections/installed-origin.ts';
import { ported, SyncError } from '../errors.ts';
import { SYSTEM_APPS_MAX } from '../limits.ts';
import { eachPage } from '../store/pages.ts';
import { NO_ENTRY, visible } from '../store/record.ts';
import type { CollectionStore } from '../store/store.ts';
import { resolveIntents } from './intents.ts';
import { generationOf, originOf, recordedIn } from './look.ts';
import { behindRow, MARK_KEY, originOfRow, ROWS_END, type Row } from './row.ts';
import { createRun, type Run } from './run.ts';
import { fingerprint, systemApp } from './system-app.ts';
import type { Work } from './work.ts';

/** What is to be looked at. */
export interface Round {
  /** Origins whose records have changed. */
  readonly changed: readonly string[];
  /** Others may have: all are looked at, unless the collection is as it was left. */
  readonly all: boolean;
  /** The system's list is compared, too. */
  readonly system: boolean;
  /** What the system has refused is tried again. */
  readonly again: boolean;
  /** Nothing else waits to be looked at. */
  readonly isLast: boolean;
}

/**
 * Looks at what there is to look at. Resolves to the origins of what could not be done now; null:
 * no listing of the collection has come to its end yet, and half of it says nothing. Errors: those
 * of the store, of `Work.check`, and of a system that does not even list its apps.
 */
export async function reconcile(work: Work, round: Round): Promise<readonly string[] | null> {
  const { platform, rows } = work;
  const [mark = null] = await ported(platform.storage.get([MARK_KEY]));
  const before = await work.reading(markOf);
  if (!(await work.reading((store) => isWhole(work, store, mark)))) {
    if (round.again && work.apps !== undefined) await resolveIntents(work, work.apps);
    return null;
  }
  const run = createRun(work, round.again);
  for (const origin of round.changed) await run.look(origin);
  if (round.system && work.apps !== undefined) await joinSystem(work, work.apps, run);
  if (round.all && mark !== before) await lookAtAll(work, run, round.again);
  await work.lock.run(() => rows.write());
  work.check();
  const now = await work.reading(markOf);
  // What has come meanwhile is looked at next; a boot before that looks at all.
  if (round.isLast && run.failed.length === 0 && mark !== now && now === before) {
    await ported(platform.storage.commit([[MARK_KEY, now]]));
  }
  return run.failed;
}

/** It was read to its end once: what is new since then may be half of what is new. */
async function isWhole(work: Work, store: CollectionStore, mark: unknown): Promise<boolean> {
  const { epoch, origin, position, resetting } = store.state;
  if (position === '' || resetting) return false;
  const known = typeof mark === 'string' ? jsonOf(mark) : null;
  const [before, read, from] = Array.isArray(known) ? known : [];
  const isMarked = before === generationOf(store) && read === epoch && from === origin;
  return isMarked || work.hasBeenRead();
}

/** What the collection is like: another text whenever a record of it may be another one. */
async function markOf(store: CollectionStore): Promise<string> {
  const { epoch, held, origin, position, seq } = store.state;
  return JSON.stringify([generationOf(store), epoch, origin, seq, held, position]);
}

/** Goes through the system's list and the rows side by side, both in the order of origins. */
async function joinSystem(work: Work, apps: Apps, run: Run): Promise<void> {
  const generation = await work.reading(async (store) => generationOf(store));
  for (let after = ''; ; ) {
    work.check();
    const listed = await ported(apps.list(after, SYSTEM_APPS_MAX));
    checkOrder(listed, after);
    const last = listed[SYSTEM_APPS_MAX - 1]?.origin ?? null;
    const named = listed.filter(({ origin }) => webOrigin(origin) === origin);
    const tags = new Map(named.map(({ origin, tag }) => [origin, tag]));
    const noted = await rowsIn(work, after, last);
    const origins = [...new Set([...tags.keys(), ...noted])];
    for (let at = 0; at < origins.length; at += SYSTEM_APPS_MAX) {
      const some = origins.slice(at, at + SYSTEM_APPS_MAX);
      const rows = await work.rows.read(some);
      for (const [index, origin] of some.entries()) {
        const tag = tags.get(origin) ?? null;
        if (isAsLeft(rows[index] ?? null, tag, generation)) continue;
        await run.look(origin, tag);
      }
    }
    if (last === null) return;
    after = last;
  }
}

/** Out of order, what a later page has would count as removed. Errors: `deviceFailed`. */
function checkOrder(listed: readonly ListedApp[], after: string): void {
  const isBehind = ({ origin }: ListedApp, at: number): boolean =>
    origin > (listed[at - 1]?.origin ?? after);
  if (!listed.every(isBehind)) {
    throw new SyncError('deviceFailed', 'apps: the system lists them in no order');
  }
}

function isAsLeft(row: Row | null, tag: string | null, generation: string): boolean {
  if (row === null || row.generation !== generation) return false;
  return row.tag === (tag ?? '') && row.intent === '' && row.refused === '';
}

/** Origins of rows behind one up to another, that one included; null: to the last. */
async function rowsIn({ platform }: Work, after: string, last: string | null): Promise<string[]> {
  const to = last === null ? ROWS_END : behindRow(last);
  const found: string[] = [];
  for (let from = behindRow(after); ; ) {
    const keys = await ported(platform.storage.scan({ from, to, limit: SYSTEM_APPS_MAX }));
    found.push(...keys.map(originOfRow));
    if (keys.length < SYSTEM_APPS_MAX) return found;
    from = behindRow(found[found.length - 1] ?? '');
    await platform.clock.pause();
  }
}

/** Every record, what is deleted as well. */
async function lookAtAll({ reading, check, rows }: Work, run: Run, isAgain: boolean) {
  for (const isLocal of [false, true]) {
    await reading((store) =>
      eachPage(store, isLocal, async (ids) => {
        for (const id of ids) {
          check();
          const [entry = NO_ENTRY] = await store.load([id]);
          const body = visible(entry);
          const origin = body && originOf(body);
          if (body === null || origin === null || (!isLocal && entry.local !== null)) continue;
          const [row = null] = await rows.read([origin]);
          if (!isDone(recordedIn(body), row, generationOf(store), isAgain)) await run.look(origin);
        }
      }),
    );
  }
}

/** The system has had what the record says. */
function isDone(
  { entry, recorded }: ReturnType<typeof recordedIn>,
  row: Row | null,
  generation: string,
  isAgain: boolean,
): boolean {
  if (recorded !== 'live') return recorded === 'carried' || row === null;
  if (row === null || entry === null || row.generation !== generation) return false;
  const app = systemApp(entry);
  const wanted = app === null ? '' : fingerprint(app);
  if (row.refused !== '') return !isAgain && row.refused === wanted;
  return row.tag !== '' && row.intent === '' && row.agreed === wanted;
}
