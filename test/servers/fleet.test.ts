// A share of `npm run test:fleet`: all that it does, once or twice.

import { expect, test } from 'vitest';
import { runFleet } from '../fleet/fleet.ts';
import { findPostgres } from '../support/postgres.ts';

const PASSES = 30;
const bin = findPostgres();

test.skipIf(bin === null)(
  'a television, a computer and kinto.js meet through three gateways and three servers',
  async () => {
    const say = () => undefined;
    const { lines, problems } = await runFleet({ passes: PASSES, seed: 2, bin: bin ?? '', say });
    console.log(lines.join('\n'));
    expect(problems).toEqual([]);
  },
);
