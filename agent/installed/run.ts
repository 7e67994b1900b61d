// What is done about single apps in one round, by what decide.ts says. An app's row is written
// before the system is asked for anything, and once more, with the next one, when it has answered.

import { webOrigin } from '../collections/installed-origin.ts';
import { badInput, fromPort, SyncError, type SyncErrorCode } from '../errors.ts';
import { CHANGED_APPS_MAX, SYSTEM_FAILURES_MAX, SYSTEM_ORIGIN_CHARS_MAX } from '../limits.ts';
import { decide, isOwnInstall } from './decide.ts';
import { type Look, lookAt } from './look.ts';
import { isSameRow, NEW_ROW, type Row } from './row.ts';
import { editOf, timeOf } from './system-app.ts';
import type { Work } from './work.ts';

export interface Run {
  /**
   * Does what is to be done about an app. `tag`: what the system's list says of it; null: nothing.
   * Errors: those of the store and of `Work.check`; the system's where it goes on failing.
   */
  look(origin: string, tag?: string | null): Promise<void>;
  /** What could not be done now. */
  readonly failed: readonly string[];
}

/** What the collection does not take now, or the system has for itself. */
const FOR_NOW: readonly SyncErrorCode[] = ['badInput', 'notFound', 'readOnly', 'tooLarge'];

/** `isAgain`: what the system has refused is tried once more. */
export function createRun(work: Work, isAgain: boolean): Run {
  const failed: string[] = [];
  let inRow = 0;
  return {
    failed,
    look: (origin: string, tag?: string | null): Promise<void> =>
      work.lock.run(async () => {
        work.check();
        if (webOrigin(origin) !== origin) return;
        try {
          const isTaken = await act(work, await lookAt(work, origin, tag), isAgain);
          // What was taken may be less than the record has: the system gets the rest.
          if (isTaken) await act(work, await lookAt(work, origin), isAgain);
          inRow = 0;
        } catch (error) {
          const failure = fromPort(error);
          const isOfStore = error instanceof SyncError && error.code !== 'deviceFailed';
          if (isOfStore ? !FOR_NOW.includes(error.code) : isTooOften()) throw error;
          failed.push(origin);
          // What may not be changed here is no news.
          if (failure.code !== 'readOnly') work.complain(origin, failure);
        }
        await work.platform.clock.pause();
      }),
  };

  function isTooOften(): boolean {
    return ++inRow >= SYSTEM_FAILURES_MAX || failed.length >= CHANGED_APPS_MAX;
  }
}

/** Resolves to whether the record was changed. */
async function act(work: Work, look: Look, isAgain: boolean): Promise<boolean> {
  const { apps } = work;
  const { origin, row, generation, there, wanted, tag, time } = look;
  const step = decide(look);
  const known = { generation, tag: tag ?? (row?.tag || '?'), intent: '', refused: '', time };
  if (step === 'agree') {
    await note(work, look, { ...NEW_ROW, sync: false, ...row, ...known, agreed: wanted });
  } else if (step === 'install') await install(work, look, isAgain);
  else if (step === 'take') {
    const sync = row?.sync === true && !isOwnInstall(look);
    await take(work, look, sync);
    await note(work, look, { ...NEW_ROW, ...row, ...known, sync, agreed: there ?? '' });
  } else if (step === 'delete') {
    await work.delete(origin);
    await note(work, look, null);
  } else if (step === 'uninstall') {
    await apps?.uninstall(origin).catch(unlessRefused);
    await note(work, look, null);
  } else if (step === 'clear') await note(work, look, null);
  return step === 'take';
}

async function note({ rows }: Work, { origin, row }: Look, next: Row | null): Promise<void> {
  if (!isSameRow(row, next)) await rows.note(origin, next);
}

/** The record says what the system says. */
async function take(work: Work, look: Look, sync: boolean): Promise<void> {
  const { origin, system, entry, recorded, row } = look;
  if (system === null) throw badInput(`${origin}: the system has it no more`);
  // Before the record: what is cut between them is the user's own.
  if (row !== null && row.sync !== sync) await work.rows.write(origin, { ...row, sync });
  await work.put(editOf(origin, system, recorded === 'live' ? entry : null));
}

/** The system has what the record says, or has refused it. */
async function install(work: Work, look: Look, isAgain: boolean): Promise<void> {
  const { apps, rows } = work;
  const { origin, app, wanted, generation, row } = look;
  const isRefused = row !== null && row.refused === wanted && row.generation === generation;
  if (apps === undefined || (isRefused && wanted !== '' && !isAgain)) return;
  const before: Row = { ...NEW_ROW, ...row, generation, intent: '' };
  const refused: Row = { ...before, refused: wanted || '-' };
  if (app === null || origin.length > SYSTEM_ORIGIN_CHARS_MAX) return note(work, look, refused);
  await rows.write(origin, { ...before, intent: wanted, refused: '' });
  let next = refused;
  try {
    const tag = await apps.install(origin, app);
    if ((await apps.read(origin)) !== null) {
      next = { ...before, tag, agreed: wanted, refused: '', time: timeOf(app) };
    } else {
      // It only says so: that is no app that its user has removed since.
      next = { ...refused, tag: '' };
      work.complain(origin, badInput('apps: the system says that it is installed, and has it not'));
    }
  } catch (error) {
    unlessRefused(error);
  }
  await rows.note(origin, next);
}

/** Errors: any other one, as it is. */
function unlessRefused(error: unknown): void {
  if ((error as { code?: unknown } | null)?.code !== 'refused') throw error;
}
