// 10,000 mutated requests to the servers and to the gateway; KITSYNC_ATTACK_SEED has others made.

import { afterEach, expect, test } from 'vitest';
import { killCommands } from '../../platform/node/cli/testing.ts';
import { attack } from '../attack/attack.ts';

afterEach(killCommands);

const SEED = Number(process.env.KITSYNC_ATTACK_SEED ?? 1);
const REQUESTS = 10_000;

test(`none of them ends a server or is answered with 500 (seed ${SEED})`, async () => {
  const { answers, faults, complaints } = await attack({ requests: REQUESTS, seed: SEED });
  const lines = [...answers].sort().map(([key, count]) => `${key}: ${count}`);
  console.log(lines.join('\n'));
  expect(faults.slice(0, 5)).toEqual([]);
  expect(complaints).toEqual([]);
  expect([...answers.values()].reduce((sum, count) => sum + count, 0)).toBe(REQUESTS);
});
