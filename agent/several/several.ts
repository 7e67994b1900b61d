// Several remotes on one device: each has its owner, key, generation, waits, schedule and status,
// and nothing of another's. They share the storage's room, and the memory of a pass: one pass runs
// at a time. Who asks all of them is answered by all-remotes.ts.

import type { Platform } from '../../platform/ports.ts';
import type { AgentConfig } from '../config.ts';
import { badInput, SyncError } from '../errors.ts';
import type { PassReport, Status } from '../status.ts';
import { allRemotes, type One, statusOf } from './all-remotes.ts';
import { bindingsOf } from './bindings.ts';
import { placeOf, viewOf } from './platform-view.ts';
import type { Holding, OpenRemote, RemoteCore, Remotes } from './remotes.ts';
import { createTurns, type Turns } from './turns.ts';

/** The remotes of a device's configuration. Throws an Error for one that is none. */
export function several<C extends Holding>(
  platform: Platform,
  config: AgentConfig,
  contents: C,
  open: OpenRemote<C>,
): Remotes {
  const ones: readonly One[] = openAll(platform, config, contents, open, () => statusOf(ones));
  const all = allRemotes(platform, ones);
  const byName = new Map<unknown, RemoteCore>(ones.map(({ name, core }) => [name, core]));
  return (remote) => {
    const found = remote === undefined ? all : byName.get(remote);
    if (found !== undefined) return found;
    throw badInput(`remote: not one of ${[...byName.keys()].join(', ')}`);
  };
}

function openAll<C extends Holding>(
  platform: Platform,
  config: AgentConfig,
  contents: C,
  open: OpenRemote<C>,
  status: () => Status,
): readonly One[] {
  const names = contents.collections.map(({ name }) => name);
  const bindings = bindingsOf(config, names);
  const prefixes = bindings.map(({ name }) => placeOf(name));
  const turnsOfOne = createTurns();
  const ones: readonly One[] = bindings.map(({ name, config, collections: own }) => {
    const lost = (): void => {
      for (const other of ones) if (other.name !== name) other.core.reopen();
    };
    const view = viewOf(platform, name, config, { prefixes, lost }, status);
    const turns = turnsOfOne();
    const collections = contents.collections.filter((one) => own.includes(one.name));
    const core = open(view, config, { ...contents, collections }, turns);
    return {
      ...{ name, collections: own, storage: view.storage },
      core: withTurns(core, turns),
    };
  });
  return ones;
}

/** Cancelling ends what waits for its turn, too: that pass is over before it has begun. */
function withTurns(core: RemoteCore, turns: Turns): RemoteCore {
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
