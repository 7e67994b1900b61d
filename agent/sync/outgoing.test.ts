import { expect, it } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { openTestStore, testPass } from '../../test/support/store.ts';
import type { Body, Collection } from '../collections/collection.ts';
import { generic } from '../collections/generic.ts';
import type { Local } from '../store/record.ts';
import { sealedJob } from './outgoing.ts';

const LOCAL: Local = { body: { id: 'a', x: 1 }, changedAtMs: 5_000, seq: 3, tries: 1 };

async function jobWith(collection: Collection, serverNowMs = 0, local = LOCAL) {
  const pass = testPass(await openTestStore(new MemoryStorage(), collection));
  const clock = { ...pass.platform.clock, nowMs: () => 9_000 };
  const platform = { ...pass.platform, clock };
  const at = { ...pass, platform, notes: { ...pass.notes, serverNowMs } };
  return sealedJob(at, 'a', local, '7', undefined, { id: 'a', agreed: true });
}

it('a change goes up as it is, where its collection stamps nothing', async () => {
  const job = await jobWith(generic('notes'));
  expect(job).toMatchObject({ id: 'a', seq: 3, tries: 1, isDeletion: false, body: LOCAL.body });
  expect(job.body).toBe(LOCAL.body);
});

it('a change is stamped with the server’s time of it, and what it was made from', async () => {
  const stamped = (body: Body, at: number, agreed?: Body): Body => ({ ...body, at, agreed });
  const serverNowMs = 1_795_323_276_914;
  const job = await jobWith({ ...generic('notes'), stamped }, serverNowMs);
  const at = serverNowMs - 4_000;
  expect(job.writtenMs).toBe(at);
  expect(job.body).toEqual({ id: 'a', x: 1, at, agreed: { id: 'a', agreed: true } });
});

it('a deletion has nothing to be stamped', async () => {
  const stamped = (): Body => {
    throw new TypeError('stamped');
  };
  const job = await jobWith({ ...generic('notes'), stamped }, 0, { ...LOCAL, body: null });
  expect(job).toMatchObject({ isDeletion: true, body: null });
});

it('a long one is not kept beside its payload', async () => {
  const body = { id: 'a', x: 'x'.repeat(20_000) };
  const job = await jobWith(generic('notes'), 0, { ...LOCAL, body });
  expect(job.body).toBeNull();
});
