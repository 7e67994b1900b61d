// What the agent has written, before the second implementation.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Change, keysOf } from '../../platform/node/picl/chain.ts';
import { readSign } from '../../platform/node/picl/keys.ts';
import { entryOf } from '../../platform/node/picl/log.ts';
import { Walk } from '../../platform/node/picl/walk.ts';
import { piclBench } from '../support/picl/bench.ts';
import { KB, NAME } from '../support/picl-service.ts';

test('a log that the agent has written is proven, and says which device wrote what', async () => {
  const { bench, log, server, service } = piclBench();
  const device = await bench.synced(2);
  await bench.put(device, 0, { text: 'edited' });
  await bench.put(device, 5, { text: 'new' });
  await device.agent.sync();
  await bench.delete(device, 1);
  await device.agent.sync();
  const file = join(mkdtempSync(join(tmpdir(), 'picl-agent-')), 'key');
  writeFileSync(file, JSON.stringify({ kB: KB }), { mode: 0o600 });
  const { root } = readSign(file);
  const keys = keysOf(root ?? Buffer.alloc(0), NAME);
  const walk = new Walk({ signKey: keys.sign });
  const changes: readonly Change[] = log().changes;
  expect(changes.map((change) => walk.take(change))).toEqual(changes.map(() => null));
  const [{ device: uuid } = {}] = server.logins;
  const shown = changes.map((change) => {
    const { action, id, device: author } = entryOf(change, NAME, keys);
    return [action, id, author];
  });
  expect(uuid).toMatch(/^[0-9a-f-]{36}$/);
  expect(shown).toEqual([
    ['set', service.id(0), null],
    ['set', service.id(1), null],
    ['set', service.id(5), uuid],
    ['set', service.id(0), uuid],
    ['delete', null, null],
  ]);
});
