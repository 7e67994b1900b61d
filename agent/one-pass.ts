// One pass from the outside: whose data it is about, what the protocol's driver is given, and what
// the server has said beside its answers. What a failure means is passes.ts's to say.

import { shortId } from './collections/members.ts';
import { notEnabled } from './errors.ts';
import { forget, type Machine, save } from './machine.ts';
import type { Task } from './remotes/remote.ts';
import { serverAsked } from './schedule/backoff.ts';
import { forgetServer, runSessionPass } from './session.ts';
import { settingsOf } from './settings.ts';
import type { PassReport } from './status.ts';
import { type Claim, relationOf } from './store/owner.ts';
import { type ServerNotes, stopIfAborted } from './wire/http.ts';

/**
 * Errors: those of the ports, of the store, and of the pass; the report is filled in either way.
 */
export async function runOnce(machine: Machine, report: PassReport, task: Task): Promise<void> {
  const { platform, config, sessions, told, abort } = machine;
  const claim = task === 'leave' ? null : await identify(machine);
  // Whoever signs out meanwhile wipes what is there, and nothing is to be opened after that.
  stopIfAborted(abort);
  const opened = await sessions.open();
  const notes: ServerNotes = { ...told, requests: 0, waitMs: 0, gone: false, serverNowMs: 0 };
  machine.told = notes;
  const { clientState, clientId, settings } = machine.saved;
  const memory = { ...machine.saved.remote };
  const wanted = opened.stores.flatMap((store) => {
    const { enabled, readOnly } = settingsOf(settings, config.collections, store.collection.name);
    return enabled ? [{ store, readOnly }] : [];
  });
  const { emit, observes } = machine;
  const signOut = (): void => {
    machine.isLeaving = true;
  };
  try {
    await runSessionPass(
      opened,
      {
        platform,
        config,
        notes,
        abort,
        memory,
        emit,
        observes,
        hasFailed: machine.saved.backoff.failures > 0,
        wanted,
        task,
        clientId,
        signOut,
        owner: claim,
        keyName: clientState ?? '',
      },
      report,
    );
  } finally {
    report.requests = notes.requests;
    const { saved } = machine;
    const { waitMs } = notes;
    const backoff =
      waitMs > 0 ? serverAsked(saved.backoff, waitMs, platform.clock.nowMs()) : saved.backoff;
    const learned = JSON.stringify(memory) !== JSON.stringify(saved.remote);
    if (task !== 'leave' && abort === machine.abort && (backoff !== saved.backoff || learned)) {
      await save(machine, { backoff, remote: memory });
    }
  }
}

/**
 * Another user starts with an empty store; another key of the same user voids what the server was
 * known to have.
 */
async function identify(machine: Machine): Promise<Claim> {
  const { platform, sessions, abort } = machine;
  const claim = await machine.claimed();
  stopIfAborted(abort);
  const { owner } = claim;
  const relation = relationOf(machine.saved, claim);
  const isStranger = relation === 'stranger';
  if (isStranger && machine.isResuming && machine.saved.uid !== null) {
    await sessions.wipe();
    await forget(machine);
    throw notEnabled();
  }
  machine.isResuming = false;
  if (isStranger) {
    const clientId = shortId(platform.entropy.random(12));
    await sessions.wipe(() => {
      const generation = machine.saved.generation + 1;
      return save(machine, { ...owner, clientId, remote: {}, generation });
    });
  } else if (relation === 'newKey') {
    await forgetServer(await sessions.open());
    await save(machine, { ...owner, remote: {} });
    sessions.drop();
  } else if (machine.saved.kid !== owner.kid) await save(machine, owner);
  return claim;
}
