// A device in trouble before an honest Kinto: no room on the server at any of its writes, no room
// on the device at any of its own, clocks that are wrong or jump. Nothing is lost, nothing is there
// twice, and the device says what is wrong.

import { describe, expect, test } from 'vitest';
import type { MemoryStorage } from '../../../platform/memory/storage.ts';
import type { Change, Storage } from '../../../platform/ports.ts';
import { StorageError } from '../../../platform/storage-rules.ts';
import type { Answer, Reply } from '../lab.ts';
import { every } from '../share.ts';
import { CHANGED, FRESH, PACKED, PLAIN } from './endure.ts';
import { deviceOn, disagreements, freeze, honest, otherOf, thaw } from './lab.ts';
import { faults, type Moment, play, RECOVERY, type Step } from './play.ts';

const YEAR_MS = 365 * 86_400_000;

/** A pass that may fail; its error's code. */
function pass(): Step & { error: string | null } {
  const step = {
    name: 'a pass',
    error: null as string | null,
    async run({ agent }: Parameters<Step['run']>[0]) {
      const isOff = agent.status().state === 'disabled';
      step.error = (await (isOff ? agent.enable() : agent.sync())).error?.code ?? null;
    },
  };
  return step;
}

describe.each([
  ['that has synced', CHANGED],
  ['that is new', FRESH],
  ['that has synced packs', PACKED.changed],
  ['that is new, before packs', PACKED.fresh],
  ['that has synced records as they are', PLAIN.changed],
  ['that is new, before records as they are', PLAIN.fresh],
] as const)('a device %s', (_, moment) => {
  test('before a server that is full from any write on says so, and loses nothing', async () => {
    for (let from = 0, writes = 1; from < writes; from++) {
      let seen = 0;
      const answer =
        (truth: Answer): Answer =>
        async (request, index): Promise<Reply> => {
          const isWrite =
            request.method === 'PUT' || /"(PUT|PATCH|DELETE)"/.test(request.body ?? '');
          if (!isWrite || seen++ < from) return truth(request, index);
          const errno = { code: 507, errno: 121, error: 'Insufficient Storage' };
          return { status: 507, headers: [], body: Buffer.from(JSON.stringify(errno)) };
        };
      const step = pass();
      const full = await play(step, moment, { answer });
      // Who has nothing to send there, and makes nothing, does not hear of it.
      if (from === 0) expect(step.error).toBe(seen > 0 ? 'overQuota' : null);
      writes = Math.max(writes, seen);
      expect(await faults(await play(RECOVERY, full, { laterMs: 86_400_000 }))).toEqual([]);
    }
  });

  test('whose clock is wrong, or jumps between passes, loses nothing', async () => {
    const TIMES = [0, 1, 86_400_000, 4_102_444_800_000, 253_402_300_799_000];
    for (const deviceMs of TIMES) {
      for (const next of [undefined, ...TIMES.slice(0, every(2) === 1 ? 5 : 1)]) {
        const first = await play(RECOVERY, moment, { deviceMs });
        const second = await play(RECOVERY, first, {
          laterMs: 60_000,
          ...(next !== undefined && { deviceMs: next }),
        });
        expect(await faults(second), `${deviceMs}, then ${next}`).toEqual([]);
      }
    }
  });

  test('before a server whose clock jumps loses nothing', async () => {
    for (const jumpMs of [YEAR_MS, -YEAR_MS, 70 * YEAR_MS, -56 * YEAR_MS]) {
      const jumped = await play(RECOVERY, moment, { laterMs: jumpMs });
      const back = await play(RECOVERY, jumped, { laterMs: 60_000 - jumpMs });
      expect(await faults(back), `${jumpMs}`).toEqual([]);
    }
  });
});

/** A storage whose commits are refused for want of room, from one on. */
function fullFrom(from: number, inner: MemoryStorage): Storage & { refused: number } {
  const storage = {
    refused: 0,
    get: (keys: readonly string[]) => inner.get(keys),
    scan: (range: Parameters<Storage['scan']>[0]) => inner.scan(range),
    async commit(changes: readonly Change[]) {
      if (inner.commits >= from) {
        storage.refused++;
        throw new StorageError('full', 'there is no room');
      }
      return inner.commit(changes);
    },
  };
  return storage;
}

test('a device that is full from any commit on loses nothing once there is room', async () => {
  const moments: Moment[] = [
    CHANGED,
    FRESH,
    ...[PACKED, PLAIN].flatMap((of) => [of.changed, of.fresh]),
  ];
  const codes = new Set<string>();
  for (const moment of moments) {
    for (let from = 0, isOver = false; !isOver; from += every(2)) {
      const servers = thaw(moment.frozen);
      const inner = moment.storage.fork();
      const storage = fullFrom(from, inner);
      const device = deviceOn(servers, storage, { answer: honest(servers) });
      const failed = await device.agent
        .start()
        .then(() => {
          const isNew = device.agent.status().state === 'disabled';
          return isNew ? device.agent.enable() : device.agent.sync();
        })
        .catch(() => null);
      isOver = storage.refused === 0;
      if (failed?.error) codes.add(failed.error.code);
      const left = { ...moment, storage: inner.fork(), frozen: freeze(servers) };
      const later = { laterMs: 86_400_000 };
      expect(await faults(await play(RECOVERY, left, later)), `commit ${from}`).toEqual([]);
    }
  }
  expect([...codes]).toEqual(['storageFull']);
});

test('a change that there is no room for is refused, and the others stay', async () => {
  const servers = thaw(CHANGED.frozen);
  const inner = CHANGED.storage.fork();
  const device = deviceOn(servers, fullFrom(0, inner));
  await device.agent.start();
  const put = device.agent.put('contacts', { id: 'no-room', who: 'Nobody' });
  await expect(put).rejects.toMatchObject({ code: 'storageFull' });
  const next = deviceOn(servers, inner.fork());
  await next.agent.start();
  expect(await next.agent.sync()).toMatchObject({ ok: true });
  expect(await disagreements(next, otherOf(servers))).toEqual([]);
});
