// All remotes of a device, asked as if they were one: what is about a collection goes to the remote
// that has it, what is about an account to the first, the rest to each. None of them holds another
// up, and none hears of another's failure.

import type { Platform, Storage } from '../../platform/ports.ts';
import { badInput } from '../errors.ts';
import { NO_SETTINGS } from '../settings.ts';
import { jsonOfStatus, type PassReport } from '../status.ts';
import type { Lock } from '../store/lock.ts';
import type { Instances } from './instances.ts';
import { placeOf } from './platform-view.ts';
import type { OneCore, RemoteCore } from './remotes.ts';
import { begin, removeForgotten } from './stored.ts';

export interface One {
  readonly name: string;
  readonly core: OneCore;
  /** Its part of the device's. */
  readonly storage: Storage;
  /** Those that are its own, the ones that were made at run time last. */
  readonly collections: readonly { readonly name: string }[];
  readonly instances: Instances;
  readonly turns: Lock;
  /** What its server calls its own: see `RemoteDriver.reserved`. */
  reserved(): Promise<readonly string[]>;
}

/** `ones`: the device's first remote first. */
export function allRemotes(platform: Platform, ones: readonly One[]): RemoteCore {
  const started = new Set<One>();
  const names = (): string[] => ones.flatMap(namesIn);
  const { initialize, signIn, devices } = firstOf(ones);
  const of = (collection: unknown): RemoteCore => {
    const found = ones.find((one) => namesIn(one).some((name) => name === collection));
    if (found !== undefined) return found.core;
    throw badInput(`collection: not one of ${names().join(', ')}`);
  };
  const tell = (call: (core: RemoteCore) => void): void => {
    for (const { core } of ones) call(core);
  };
  return {
    ...{ initialize, signIn, devices },
    start: () => startAll(ones, started),
    enable: async () => joined(await each(ones, (core) => core.enable())),
    async disable() {
      await each(ones, (core) => core.disable());
      const places = ones.map(({ name }) => placeOf(name));
      await removeForgotten(platform, places);
    },
    async sync() {
      const on = ones.filter(({ core }) => core.state() !== 'disabled');
      return joined(await each(on.length > 0 ? on : ones, (core) => core.sync()));
    },
    cancel: () => tell((core) => core.cancel()),
    async configure(change) {
      const changed = (await import('../api/switches.ts')).changedSettings;
      // Refused before any of them has taken it.
      changed(NO_SETTINGS, change, names(), () => ({ enabled: false, readOnly: false }));
      await each(ones, (core) => core.configure(change));
    },
    connectionChanged: () => tell((core) => core.connectionChanged()),
    state: () => firstOf(ones).state(),
    status: () => JSON.parse(showAll(ones)),
    reading: async (name, work) => of(name).reading(name, work),
    writing: async (name, work) => of(name).writing(name, work),
    changed: (name, ...change) => of(name).changed(name, ...change),
    observe: (name, on) => of(name).observe(name, on),
    async reopen() {
      await each(ones, (core) => core.reopen());
    },
  };
}

/**
 * With several remotes the status of the first, the collections of all, and each by its name: as
 * JSON, from what each has kept of its own.
 */
export function showAll(ones: readonly One[]): string {
  const texts = ones.map(({ name, core }) => ({ name, text: core.statusText() }));
  const collections = texts.map(({ text }) => text.collections).filter((text) => text !== '');
  const remotes = texts.map(({ name, text }) => `"${name}":${jsonOfStatus(text)}`);
  const more = ones.length > 1 ? `,"remotes":{${remotes.join()}}` : '';
  return jsonOfStatus({ own: texts[0]?.text.own ?? '', collections: collections.join() }, more);
}

/** Of all but those that servers call otherwise: they are seen through their own door only. */
function namesIn({ collections, instances }: One): string[] {
  const hidden = instances.made.filter(({ name, collection }) => collection.name !== name);
  const isHidden = (name: string): boolean => hidden.some((one) => one.collection.name === name);
  return collections.flatMap(({ name }) => (isHidden(name) ? [] : [name]));
}

function firstOf([first]: readonly One[]): RemoteCore {
  if (first === undefined) throw new TypeError('a device has one remote at least');
  return first.core;
}

/** Errors: the first one's that failed, when all were tried. */
async function startAll(ones: readonly One[], started: Set<One>): Promise<void> {
  const failures: unknown[] = [];
  for (const one of ones) {
    if (started.has(one)) continue;
    try {
      await begin(one.storage);
      await one.core.start();
      started.add(one);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

/** Errors: the first one's that failed, when all are over. */
async function each<T>(ones: readonly One[], call: (core: RemoteCore) => Promise<T>): Promise<T[]> {
  const work = ones.map(({ core }) => call(core));
  await Promise.all(work.map((one) => one.catch(() => undefined)));
  return Promise.all(work);
}

function joined(reports: readonly PassReport[]): PassReport {
  return {
    ok: reports.every(({ ok }) => ok),
    error: reports.find(({ error }) => error !== null)?.error ?? null,
    requests: reports.reduce((sum, { requests }) => sum + requests, 0),
    collections: Object.assign({}, ...reports.map(({ collections }) => collections)),
  };
}
