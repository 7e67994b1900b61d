// A pass that hangs at any step, on every remote, and whose user signs out meanwhile: what it still
// does when it goes on leaves nothing on the device.

import { expect, test } from 'vitest';
import { Bench } from '../test/contract/bench.ts';
import { every } from '../test/sim/share.ts';
import { HANGING_STEPS, signedOutOf } from '../test/support/hanging.ts';
import { documentService, logService, recordsService } from '../test/support/made-up/services.ts';
import { syncService } from '../test/support/sync-service.ts';

const SERVICES = [
  ['Syncto', () => syncService('syncto')],
  ['Sync 1.5', () => syncService('sync15')],
  ['records', recordsService],
  ['a log', logService],
  ['a document', documentService],
] as const;

const CASES = SERVICES.flatMap(([name, start]) =>
  HANGING_STEPS.map((kind) => [kind, name, start] as const),
);

test.each(CASES)('a first pass that hung in a %s leaves nothing: %s', async (kind, _, start) => {
  let at = 0;
  for (let hasHung = true; hasHung; at++) {
    const bench = new Bench(start);
    bench.service.put(bench.service.id(1), { text: 'theirs' });
    const device = await bench.boot();
    hasHung = await signedOutOf(device, kind, at, () => device.agent.enable());
    const left = device.storage.snapshot().map(([key]) => key);
    expect(left, `hung in ${kind} ${at + 1}`).toEqual(['s']);
  }
  expect(at).toBeGreaterThan(1);
});

test.each(CASES)('a pass of edits that hung in a %s leaves nothing: %s', async (kind, _, start) => {
  let at = 0;
  for (let hasHung = true; hasHung; at += every(7)) {
    const bench = new Bench(start);
    const device = await bench.story();
    hasHung = await signedOutOf(device, kind, at, () => device.agent.sync());
    const left = device.storage.snapshot().map(([key]) => key);
    expect(left, `hung in ${kind} ${at + 1}`).toEqual(['s']);
  }
  expect(at).toBeGreaterThan(2);
});
