// One look at an app: what its record says, what the system has, and what was noted of it.

import type { SystemApp } from '../../platform/ports.ts';
import { wireIdOf } from '../api/record-id.ts';
import type { Body } from '../collections/collection.ts';
import { kindOfBody, nameOf } from '../collections/installed-entry.ts';
import { webOrigin } from '../collections/installed-origin.ts';
import { SYSTEM_ORIGIN_CHARS_MAX } from '../limits.ts';
import { NO_ENTRY, visible } from '../store/record.ts';
import type { CollectionStore } from '../store/store.ts';
import type { Found, Recorded } from './decide.ts';
import { fingerprint, systemApp, timeOf } from './system-app.ts';
import type { Work } from './work.ts';

export interface Look extends Found {
  readonly origin: string;
  /** What the system has listed it under; undefined: it was not asked for a list. */
  readonly tag: string | undefined;
  readonly entry: Body | null;
  /** What the system is to have; null: nothing that could be installed. */
  readonly app: SystemApp | null;
  /** What it has. */
  readonly system: SystemApp | null;
}

/**
 * `tag`: what a list of the system says, null where it is not in it. Errors: those of the store,
 * and what the system throws.
 */
export async function lookAt(work: Work, origin: string, tag?: string | null): Promise<Look> {
  const { apps, reading, rows } = work;
  const [row = null] = await rows.read([origin]);
  const { entry, recorded, generation } = await reading(async (store) => {
    const [loaded = NO_ENTRY] = await store.load([wireIdOf(store.collection, origin)]);
    return { ...recordedIn(visible(loaded)), generation: generationOf(store) };
  });
  const app = recorded === 'live' && entry !== null ? systemApp(entry) : null;
  // What a list lacks is asked for by name: nothing is removed everywhere because of a list alone.
  const isNone = apps === undefined || origin.length > SYSTEM_ORIGIN_CHARS_MAX;
  const system = isNone ? null : await apps.read(origin);
  return {
    ...{ origin, tag: tag ?? undefined, entry, app, system, recorded, row, generation },
    wanted: app === null ? '' : fingerprint(app),
    there: system && fingerprint(system),
    time: system === null ? 0 : timeOf(system),
  };
}

/** What a body says of its app. */
export function recordedIn(body: Body | null): { entry: Body | null; recorded: Recorded } {
  if (body === null) return { entry: null, recorded: 'unknown' };
  const { entry } = body;
  return { entry: entry as Body, recorded: originOf(body) === null ? 'carried' : kindOfBody(body) };
}

/** The app that a record is of; null: none that a system could have. */
export function originOf(body: Body): string | null {
  const name = nameOf(body);
  return webOrigin(name) === name ? name : null;
}

/** What the keys of a collection's records begin with. */
export function generationOf({ keys }: CollectionStore): string {
  return keys.cursor.slice(0, keys.cursor.indexOf('.'));
}
