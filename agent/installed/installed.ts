// The user's apps on this device: joins what apps are told of the collection with what is known of
// the system's own, and has the two brought together (reconcile.ts): at a boot, after a pass, when
// the system or an app has changed something; never while a pass is at the collection. It hears of
// all that by what the agent tells the shell.

import { isObject, jsonOf } from '../../crypto/engine.ts';
import type { Platform } from '../../platform/ports.ts';
import type { Core } from '../api/core.ts';
import type { ListQuery, ListResult } from '../api/records.ts';
import type { Body } from '../collections/collection.ts';
import { webOrigin } from '../collections/installed-origin.ts';
import { badInput, fromPort, SyncError } from '../errors.ts';
import { CHANGED_APPS_MAX, SYSTEM_WAIT_MS_FIRST, SYSTEM_WAIT_MS_LAST } from '../limits.ts';
import type { CollectionReport, PassReport } from '../status.ts';
import { createLock } from '../store/lock.ts';
import { LOCAL_FAILURES } from '../sync/pass.ts';
import { answering } from './answering.ts';
import type { Round } from './reconcile.ts';
import { NEW_ROW, openRows } from './row.ts';
import type { Work } from './work.ts';

/** What the collection is called. */
const NAME = 'apps';

/** What of the agent stands before the collection. */
interface Door {
  start(): Promise<void>;
  get(collection: string, id: string): Promise<Body | null>;
  list(collection: string, query: ListQuery): Promise<ListResult>;
  put(collection: string, record: Body): Promise<string>;
  delete(collection: string, id: string): Promise<void>;
  observe(collection: string, on: boolean): void;
}

/**
 * What a user may say of an app on this device alone; durable when it resolves. Errors: `badInput`,
 * `notFound`, `disabled`, those of the storage.
 */
export interface Shelf {
  /** An app from elsewhere is to be among those of this device, or not any more. */
  promote(id: string, on: boolean): Promise<void>;
  /** It is to be out of sight here; it stays installed, and in `list` of what is hidden. */
  hide(id: string, on: boolean): Promise<void>;
  /** Resolves when the system has what is known by now, or cannot have it now. */
  appsSettled(): Promise<void>;
}

/** What a build has of it. */
interface Installed {
  /** The device as the agent is given it: what it is told is heard. */
  readonly platform: Platform;
  over<A extends Door>(agent: A, core: Core): A & Shelf;
}

/** `name`: of the collection. */
export function installed(device: Platform, name = NAME): Installed {
  let hear: (json: string) => boolean = () => true;
  return {
    platform: {
      ...device,
      shell: {
        status: (json) => device.shell.status(json),
        event(json) {
          if (hear(json)) device.shell.event(json);
        },
      },
    },
    over(agent, core) {
      const ear = createEar(name);
      const work = workOf(device, agent, core, ear, name);
      const rounds = createRounds(work, ear);
      hear = (json) => {
        if (!HEARD.test(json)) return true;
        const isForAll = ear.hear(json);
        if (!ear.isBusy()) rounds.begin();
        return isForAll;
      };
      core.observe(name, true);
      return { ...agent, ...doorOf(agent, work, ear, rounds, name) };
    },
  };
}

/** What has been heard, and not been looked at yet. */
interface Ear {
  /** Whether it is for the shell, too. */
  hear(json: string): boolean;
  /** Passes are at work, of one remote or another. */
  isBusy(): boolean;
  note(more: Partial<Flags>): void;
  /** What is to be looked at, if anything is; it counts as looked at. */
  take(): Round | null;
  /** It was not, after all. */
  giveBack(round: Round): void;
  /** It was, and failed: it is out of sight until `resume`. */
  putOff(round: Round): void;
  resume(): void;
  isObserved: boolean;
  /** A pass has come to the end of the collection since the boot, or the sign-in. */
  hasBeenRead: boolean;
}

const HEARD = /^\{"kind":"(state|pass|record|beganAnew|wiped|damaged)"/;
type Flags = Pick<Round, 'all' | 'system' | 'again'>;
const NOTHING: Flags = { all: false, system: false, again: false };

function createEar(name: string): Ear {
  const busy = new Set<unknown>();
  const changed = new Set<string>();
  let round = NOTHING;
  let isDue = false;
  let off: Round[] = [];
  const note: Ear['note'] = (more) => {
    round = { ...round, ...more };
    isDue = true;
  };
  const add = (origin: unknown): void => {
    if (changed.size >= CHANGED_APPS_MAX) note({ all: true });
    else if (typeof origin === 'string') changed.add(origin);
  };
  const ear: Ear = {
    isObserved: false,
    hasBeenRead: false,
    isBusy: () => busy.size > 0,
    note,
    hear(json) {
      const event = jsonOf(json);
      if (!isObject(event)) return true;
      const { kind, collection, id, state, remote, report } = event;
      if (kind === 'state') {
        const isAtWork = state === 'syncing' || state === 'enabling' || state === 'disabling';
        if (isAtWork) busy.add(remote);
        else busy.delete(remote);
        // Other data may be here than before.
        if (state === 'enabling') {
          ear.hasBeenRead = false;
          note({ all: true, system: true });
        }
      } else if (kind === 'pass') {
        const own = reportOf(report as PassReport, name);
        if (own === null) return true;
        ear.hasBeenRead ||= isThrough(report as PassReport);
        if (own.pulled !== 0 || own.pushed !== 0) note({});
      } else if (collection === name) {
        if (kind !== 'record') note({ all: true });
        else add(id);
        return kind !== 'record' || ear.isObserved;
      }
      return true;
    },
    take() {
      if (!isDue && changed.size === 0) return null;
      const taken = { ...round, changed: [...changed], isLast: off.length === 0 };
      changed.clear();
      [round, isDue] = [NOTHING, false];
      return taken;
    },
    giveBack({ changed: origins, isLast, ...more }) {
      const { all, system, again } = round;
      note({ all: all || more.all, system: system || more.system, again: again || more.again });
      for (const origin of origins) add(origin);
    },
    putOff: (failed) => void off.push(failed),
    resume() {
      const due = off;
      off = [];
      due.forEach(ear.giveBack);
    },
  };
  return ear;
}

/** What a pass has done about the collection; null: it is not of that remote. */
function reportOf({ collections }: PassReport, name: string): CollectionReport | null {
  return new Map(Object.entries(collections)).get(name) ?? null;
}

/** A pass that went wrong in one collection has read the others to their ends. */
function isThrough({ ok, error }: PassReport): boolean {
  return ok || (error !== null && LOCAL_FAILURES.has(error.code));
}

function workOf(device: Platform, agent: Door, core: Core, ear: Ear, name: string): Work {
  return {
    platform: device,
    apps: device.apps && answering(device.apps, device.clock),
    rows: openRows(device.storage),
    lock: createLock(),
    reading: (work) => core.reading(name, work),
    put: (record) => agent.put(name, record),
    delete: (id) => agent.delete(name, id),
    hasBeenRead: () => ear.hasBeenRead,
    complain(origin, { shown: error }) {
      const event = { kind: 'system', collection: name, ...(origin && { id: origin }), error };
      device.shell.event(JSON.stringify(event));
    },
    check() {
      if (ear.isBusy()) throw new SyncError('aborted', 'a pass is at the collection');
    },
  };
}

interface Rounds {
  /** Begins a round if there is something to look at, and none is under way. */
  begin(): void;
  /** Resolves when none is under way. */
  settled(): Promise<void>;
}

/** One round after the other; what fails for now is tried again, ever more rarely. */
function createRounds(work: Work, ear: Ear): Rounds {
  let current: Promise<void> | null = null;
  let isAsked = false;
  let waitMs = 0;
  let isWaiting = false;
  const tryLater = (): void => {
    waitMs = Math.min(Math.max(2 * waitMs, SYSTEM_WAIT_MS_FIRST), SYSTEM_WAIT_MS_LAST);
    if (isWaiting) return;
    isWaiting = true;
    void work.platform.clock.sleep(waitMs).then(() => {
      isWaiting = false;
      ear.resume();
      if (!ear.isBusy()) begin();
    });
  };
  /** Resolves to whether another round may follow at once. */
  const once = async (round: Round): Promise<boolean> => {
    try {
      const failed = await (await import('./reconcile.ts')).reconcile(work, round);
      if (failed === null) {
        ear.giveBack(round);
        return false;
      }
      if (failed.length === 0) {
        if (round.isLast) waitMs = 0;
        return true;
      }
      ear.putOff({ ...NOTHING, isLast: true, changed: failed });
    } catch (error) {
      const failure = fromPort(error);
      const { code } = failure;
      // A pass takes its turn, and calls when it is over; so does who signs in.
      if (code === 'aborted' || code === 'disabled') {
        ear.giveBack(round);
        return false;
      }
      work.complain(null, failure);
      ear.putOff(round);
    }
    tryLater();
    return true;
  };
  const run = async (): Promise<void> => {
    isAsked = false;
    for (let goesOn = true; goesOn && !ear.isBusy(); ) {
      const round = ear.take();
      goesOn = round !== null && (await once(round));
    }
  };
  const begin = (): void => {
    isAsked = true;
    // Behind whoever has just told of something.
    current ??= work.platform.clock
      .pause()
      .then(run)
      .finally(() => {
        current = null;
        if (isAsked) begin();
      });
  };
  const settled = async (): Promise<void> => {
    while (current !== null) await current;
  };
  return { begin, settled };
}

function doorOf(agent: Door, work: Work, ear: Ear, rounds: Rounds, name: string): Door & Shelf {
  const { platform } = work;
  const toldOf = (id: string): void => {
    if (!ear.isObserved) return;
    platform.shell.event(JSON.stringify({ kind: 'record', collection: name, id, change: 'put' }));
  };
  const change = async (id: string, to: object): Promise<void> => {
    toldOf(await (await import('./shelf.ts')).change(work, id, to));
  };
  return {
    async start() {
      await agent.start();
      platform.apps?.changed(() => {
        ear.note({ system: true });
        if (!ear.isBusy()) rounds.begin();
      });
      ear.note({ all: true, system: true, again: true });
      if (!ear.isBusy()) rounds.begin();
    },
    async get(collection, id) {
      const found = await agent.get(collection, id);
      if (collection !== name || found === null) return found;
      return (await import('./shelf.ts')).marked(work, found, `${found.guid}`);
    },
    async list(collection, query) {
      if (collection !== name) return agent.list(collection, query);
      const listApps = (await import('./shelf.ts')).listApps;
      return work.reading((store) => listApps(work, store, query));
    },
    async put(collection, record) {
      if (collection !== name || !isObject(record)) return agent.put(collection, record);
      const { here, ...said } = record;
      const isInstall = said.manifest !== undefined || said.manifest_url !== undefined;
      const origin = webOrigin(said.id ?? said.guid);
      if (!isInstall || origin === null) return agent.put(collection, said);
      return work.lock.run(() => ownInstall(work, origin, () => agent.put(collection, said)));
    },
    delete: (collection, id) => agent.delete(collection, id),
    observe(collection, on) {
      if (collection !== name) return agent.observe(collection, on);
      ear.isObserved = on;
    },
    promote: async (id, on) => change(id, { promoted: switched(on) }),
    hide: async (id, on) => change(id, { hidden: switched(on) }),
    appsSettled: rounds.settled,
  };
}

function switched(on: unknown): boolean {
  if (typeof on === 'boolean') return on;
  throw badInput('on: neither true nor false');
}

/** What an app installs is of this device, wherever it was known from. */
async function ownInstall(
  { rows }: Work,
  origin: string,
  put: () => Promise<string>,
): Promise<string> {
  const [row = null] = await rows.read([origin]);
  if (row?.sync !== false) await rows.write(origin, { ...NEW_ROW, ...row, sync: false });
  try {
    return await put();
  } catch (error) {
    if (row?.sync !== false) await rows.write(origin, row);
    throw error;
  }
}
