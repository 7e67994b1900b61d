// What the system was being given when the power went: looked at before anything else is known, so
// that what its user removes from then on counts as removed, and is not installed once more.

import type { Apps } from '../../platform/ports.ts';
import { ported } from '../errors.ts';
import { SYSTEM_APPS_MAX } from '../limits.ts';
import { behindRow, originOfRow, ROWS_END } from './row.ts';
import { fingerprint, timeOf } from './system-app.ts';
import type { Work } from './work.ts';

/** Notes what the system has got of that. Errors: those of the store, and of the system. */
export async function resolveIntents(work: Work, apps: Apps): Promise<void> {
  const { lock, platform, rows } = work;
  for (let from = behindRow(''); ; ) {
    const page = { from, to: ROWS_END, limit: SYSTEM_APPS_MAX };
    const origins = (await ported(platform.storage.scan(page))).map(originOfRow);
    const read = await rows.read(origins);
    for (const origin of origins.filter((_, at) => (read[at]?.intent ?? '') !== '')) {
      work.check();
      await lock.run(() => resolve(work, apps, origin));
    }
    if (origins.length < SYSTEM_APPS_MAX) break;
    from = behindRow(origins[origins.length - 1] ?? '');
    await platform.clock.pause();
  }
  await lock.run(() => rows.write());
}

async function resolve({ rows }: Work, apps: Apps, origin: string): Promise<void> {
  const [row = null] = await rows.read([origin]);
  if (row === null || row.intent === '') return;
  const there = await apps.read(origin);
  // What it has not got is given to it again, when it is looked at.
  if (there === null || fingerprint(there) !== row.intent) return;
  // Its tag is not known: the next list has it looked at.
  const known = { tag: '?', agreed: row.intent, intent: '', refused: '', time: timeOf(there) };
  await rows.note(origin, { ...row, ...known });
}
