// Several remotes on one device: each has its owner, key, generation, waits, schedule and status,
// and nothing of another's. They share the storage's room, and the memory of a pass: one pass runs
// at a time. Who asks all of them is answered by all-remotes.ts.

import type { Platform } from '../../platform/ports.ts';
import { type AgentConfig, FIRST_REMOTE } from '../config.ts';
import { badInput, notEnabled, SyncError } from '../errors.ts';
import { driverOf } from '../remotes/parts.ts';
import { jsonOfStatus, type PassReport, type StatusText } from '../status.ts';
import { allRemotes, type One, showAll } from './all-remotes.ts';
import { bindingsOf } from './bindings.ts';
import { createInstances, type Instances } from './instances.ts';
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
  return contents.kinds ? Object.assign(remotes, { making: makingOf(remotes, ones) }) : remotes;
}

/** Making and removing collections takes turns with the passes. */
function makingOf(remotes: Remotes, ones: readonly One[]): Making {
  const isTaken = (name: string): boolean =>
    ones.some(({ collections }) => collections.some((one) => one.name === name));
  return {
    async createCollection(kind, name, remote = FIRST_REMOTE) {
      const core = remotes(remote);
      const one = ones.find((one) => one.core === core);
      if (core.state() === 'disabled') throw notEnabled();
      await one?.turns.run(async () => {
        const reserved = await one.reserved();
        const isNone = (text: string): boolean => reserved.includes(text) || isTaken(text);
        await one.instances.create(kind, name, isNone);
      });
    },
    async removeCollection(name) {
      const one = ones.find(({ instances }) =>
        instances.collections.some((made) => made.name === name),
      );
      if (one === undefined) throw badInput('name: no collection that was made at run time');
      await one.turns.run(() => one.instances.remove(name, () => one.core.reopen()));
    },
  };
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
    const instances = createInstances(view, contents.kinds ?? [], isBuiltIn);
    const held = {
      ...contents,
      get collections() {
        return [...builtIn, ...instances.collections];
      },
      async opening(generation: string) {
        unsent = await sweepMoved(view, generation, others);
        await instances.opening(generation);
      },
    };
    const core = open(view, withInstances(config, instances), held, turns, show);
    const told = withUnsent(withTurns(core, turns), () => unsent);
    return {
      ...{ name, instances, turns, storage: view.storage, core: told },
      get collections() {
        return held.collections;
      },
      reserved: async () => (await driverOf(contents, config)).reserved ?? [],
    };
  });
  return ones;
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
