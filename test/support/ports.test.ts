import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { freePort } from './ports.ts';

test('a port is given once, and none on which somebody listens', async () => {
  const first = await freePort();
  const taken = createServer().listen(first + 1, '127.0.0.1');
  await once(taken, 'listening');
  const others = [await freePort(), await freePort()];
  taken.close();
  expect(new Set([first, first + 1, ...others]).size).toBe(4);
  // The system gives out higher ones.
  for (const port of [first, ...others]) expect(port).toBeLessThan(32_768);
});
