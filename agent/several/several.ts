// Several remotes on one device: each has its owner, key, generation, waits, schedule and status,
// and nothing of another's. They share the storage's room, and the memory of a pass: one pass runs
// at a time. Who asks all of them is answered by all-remotes.ts.

import type { Platform } from '../../platform/ports.ts';
import { STRATEGIES } from '../collections/strategy.ts';
import { type AgentConfig, FIRST_REMOTE, type Strategy } from '../config.ts';
import { badInput, notEnabled, SyncError } from '../errors.ts';
import { APP_QUOTA } from '../limits.ts';
import { driverOf } from '../remotes/parts.ts';
import { jsonOfStatus, type PassReport, type StatusText } from '../status.ts';
import type { Lock } from '../store/lock.ts';
import { allRemotes, type One, showAll } from './all-remotes.ts';
import type { AppData } from './app-data.ts';
import type { Apps } from './app-place.ts';
import { bindingsOf } from './bindings.ts';
import { createInstances, type Instances, type Kind } from './instances.ts';
import { sweepMoved } from './moved.ts';
import { placeOf, viewOf } from './platform-view.ts';
import type { Holding, Making, OneCore, OpenRemote, RemoteCore, Remotes } from './remotes.ts';
import { createTurns, type Turns } from './turns.ts';

/** The remotes of a device's configuration. Throws an Error for one that is none. */
export function several<C extends Holding>(
  platform: Platform,
  config: AgentConfig,
  contents: C,
  open: OpenRemote<C>,
): Remotes {
  const ones: readonly One[] = openAll(platform, config, contents, open, () => showAll(ones));
  const all = allRemotes(platform, ones);
  const byName = new Map<unknown, RemoteCore>(ones.map(({ name, core }) => [name, core]));
  const remotes = (remote?: string): RemoteCore => {
    const found = remote === undefined ? all : byName.get(remote);
    if (found !== undefined) return found;
    throw badInput(`remote: not one of ${[...byName.keys()].join(', ')}`);
  };
  if (!contents.kinds && !contents.apps) return remotes;
  const oneOf = (name: string): One => {
    const core = remotes(name);
    return ones.find((one) => one.core === core) as One;
  };
  const { kinds = [], apps } = contents;
  const { remote = FIRST_REMOTE, ...limits } = config.apps ?? {};
  if (apps && !byName.has(remote)) throw new Error(`apps: there is no remote ${remote}`);
  const quota = { ...APP_QUOTA, ...limits };
  const { strategies } = contents;
  const making = makingOf(ones, oneOf, kinds, strategies !== undefined);
  const forApp = (address: string): AppData => {
    if (!apps) throw badInput('app: this build has no collections of apps');
    const origin = apps.originOf(address);
    if (origin === null) throw badInput(`origin: not the address of an app`);
    const one = oneOf(remote);
    const create = async (name: string, strategy?: Strategy): Promise<void> =>
      createIn(ones, one, apps.kind, name, checked(strategy, strategies !== undefined));
    return apps.open({ platform, one, origin, quota, create, strategies });
  };
  return Object.assign(remotes, { making: { ...making, forApp } });
}

function makingOf(
  ones: readonly One[],
  oneOf: (remote: string) => One,
  kinds: readonly Kind[],
  hasStrategies: boolean,
): Omit<Making, 'forApp'> {
  return {
    async createCollection(kind, name, remote = FIRST_REMOTE, strategy) {
      const one = oneOf(remote);
      const found = kinds.find((one) => one.kind === kind);
      if (found === undefined) {
        throw badInput(`kind: not one of ${kinds.map((one) => one.kind).join(', ')}`);
      }
      await createIn(ones, one, found, name, checked(strategy, hasStrategies));
    },
    async removeCollection(name) {
      for (const { core, instances, turns } of ones) {
        const own = instances.made.find((one) => one.name === name);
        if (own && kinds.some(({ kind }) => kind === own.kind)) {
          return turns.run(() => instances.remove(own, () => core.reopen()));
        }
      }
      throw badInput('name: no collection that was made at run time');
    },
  };
}

/** Errors: `badInput` for a strategy that there is not, and where the build has none. */
function checked(strategy: unknown, isThere: boolean): Strategy | undefined {
  const found = STRATEGIES.find((one) => one === strategy);
  if (strategy === undefined || (found && isThere)) return found;
  throw badInput(
    `strategy: ${found ? 'this build has none' : `not one of ${STRATEGIES.join(', ')}`}`,
  );
}

/** Making collections takes turns with the passes, and so does removing them. */
async function createIn(
  ones: readonly One[],
  one: One,
  kind: Kind,
  name: unknown,
  strategy?: Strategy,
): Promise<void> {
  const isTaken = (text: string): boolean =>
    ones.some(({ collections }) => collections.some((other) => other.name === text));
  if (one.core.state() === 'disabled') throw notEnabled();
  await one.turns.run(async () => {
    const reserved = await one.reserved();
    const isNone = (text: string): boolean => reserved.includes(text) || isTaken(text);
    await one.instances.create(kind, name, isNone, strategy);
  });
}

function openAll<C extends Holding>(
  platform: Platform,
  config: AgentConfig,
  contents: C,
  open: OpenRemote<C>,
  show: () => string,
): readonly One[] {
  const names = contents.collections.map(({ name }) => name);
  const bindings = bindingsOf(config, names);
  const prefixes = bindings.map(({ name }) => placeOf(name));
  const turnsOfOne = createTurns();
  const ones: readonly One[] = bindings.map(({ name, config, collections: own }) => {
    const lost = (): void => {
      for (const other of ones) {
        // Where that fails, whoever comes next is told why.
        if (other.name !== name) other.core.reopen().catch(() => undefined);
      }
    };
    const view = viewOf(platform, name, config, { prefixes, lost });
    const turns = turnsOfOne();
    const builtIn = contents.collections.filter((one) => own.includes(one.name));
    const others = contents.collections.filter((one) => !own.includes(one.name));
    let unsent: ReadonlyMap<string, number> = new Map();
    const isBuiltIn = (name: string): boolean => names.includes(name);
    const { apps } = contents;
    const kinds = [...(contents.kinds ?? []), ...(apps ? [apps.kind] : [])];
    let generation = '';
    const secretOf = (of: string): Promise<Uint8Array> => {
      if (!apps) throw new TypeError('no kind of this build has a secret');
      return apps.secret(view, of);
    };
    const instances = createInstances(view, kinds, isBuiltIn, secretOf);
    const held = {
      ...contents,
      get collections() {
        return [...builtIn, ...instances.collections];
      },
      async opening(now: string) {
        generation = now;
        unsent = await sweepMoved(view, now, others);
        await instances.opening(now);
      },
    };
    const passing: Lock = apps ? withApps(turns, view, apps, () => ({ one, generation })) : turns;
    const core = open(view, withInstances(config, instances), held, passing, show);
    const told = withUnsent(withTurns(core, turns), () => unsent);
    const one: One = {
      ...{ name, instances, turns, storage: view.storage, core: told },
      get collections() {
        return held.collections;
      },
      reserved: async () => (await driverOf(contents, config)).reserved ?? [],
    };
    return one;
  });
  return ones;
}

/**
 * Before a pass apps' collections have the names that the user's key gives them, and what has left
 * goes behind it. What fails of that is tried again at the next one.
 */
function withApps(
  turns: Lock,
  view: Platform,
  apps: Apps,
  of: () => { readonly one: One; readonly generation: string },
): Lock {
  const hasApps = (): boolean =>
    of().one.core.state() !== 'disabled' &&
    of().one.instances.made.some(({ kind }) => kind === apps.kind.kind);
  return {
    run: (task) =>
      turns.run(async () => {
        const { one, generation } = of();
        if (hasApps() && (await apps.followKey(view, generation))) await one.core.reopen();
        const done = await task();
        if (hasApps()) await apps.endLeaving(view, one).catch(unlessShown);
        return done;
      }),
  };
}

function unlessShown(error: unknown): void {
  if (!(error instanceof SyncError)) throw error;
}

/** What was made here is on until its user says otherwise. */
function withInstances(config: AgentConfig, instances: Instances): AgentConfig {
  return {
    ...config,
    get collections() {
      const made = instances.collections.map(
        ({ name }) => [name, { enabled: true, readOnly: false }] as const,
      );
      return { ...config.collections, ...Object.fromEntries(made) };
    },
  };
}

/** A remote tells of what it holds of collections that are another's now. */
function withUnsent(core: OneCore, unsent: () => ReadonlyMap<string, number>): OneCore {
  const statusText = (): StatusText => {
    const text = core.statusText();
    if (unsent().size === 0 || core.state() === 'disabled') return text;
    const counts = JSON.stringify(Object.fromEntries(unsent()));
    return { ...text, own: `${text.own},"unsent":${counts}` };
  };
  return { ...core, statusText, status: () => JSON.parse(jsonOfStatus(statusText())) };
}

/** Cancelling ends what waits for its turn, too: that pass is over before it has begun. */
function withTurns(core: OneCore, turns: Turns): OneCore {
  const reported = (pass: Promise<PassReport>): Promise<PassReport> =>
    pass.catch((error: unknown) => {
      if (!(error instanceof SyncError) || error.code !== 'aborted') throw error;
      return { ok: false, error: error.shown, requests: 0, collections: {} };
    });
  return {
    ...core,
    enable: () => reported(core.enable()),
    sync: () => reported(core.sync()),
    initialize: () => reported(core.initialize()),
    cancel() {
      turns.callOff();
      core.cancel();
    },
  };
}
