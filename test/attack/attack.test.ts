// A share of the attack; `npm run test:servers` has all of it.

import { afterEach, expect, test } from 'vitest';
import { killCommands } from '../../platform/node/cli/testing.ts';
import { attack } from './attack.ts';

afterEach(killCommands);

const SEED = Number(process.env.KITSYNC_ATTACK_SEED ?? 1);

test('mutated requests end no server, and none is answered with 500', async () => {
  const { answers, faults, complaints } = await attack({ requests: 800, seed: SEED });
  console.log(
    [...answers]
      .map(([key, count]) => `${count} ${key}`)
      .sort()
      .join('\n'),
  );
  expect(faults.slice(0, 5)).toEqual([]);
  expect(complaints).toEqual([]);
  // They got past the door.
  const of = (key: string) => answers.get(key) ?? 0;
  for (const key of ['sync15', 'syncto', 'gateway', 'accounts', 'token', 'owa'])
    expect(of(`${key} 200`), key).toBeGreaterThan(0);
});
