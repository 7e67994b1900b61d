// A share of what `npm run test:picl` does with more.

import { expect, test } from 'vitest';
import { agentReader } from '../../../test/picl/agent-reader.ts';
import { readByBoth } from '../../../test/picl/both.ts';
import { forgeries, judgedIn, secondReader } from '../../../test/picl/forgeries.ts';
import { KINDS } from '../../../test/picl/forgery.ts';

test('what one implementation writes the other takes, and both refuse the same', async () => {
  expect(await readByBoth(60, 20_000)).toBeGreaterThan(200);
});

test('what a server can forge is refused', async () => {
  const readers = new Map([
    ['agent', agentReader],
    ['second', secondReader],
  ]);
  const tally = await forgeries(30, 1, readers);
  expect([...judgedIn(tally, 'agent').keys()]).toEqual([...KINDS]);
});
