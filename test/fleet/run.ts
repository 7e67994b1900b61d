// `npm run test:fleet`: a fleet of one user for KITSYNC_FLEET_PASSES passes (1,000), and what it
// took. Exit code 1 where a promise was broken. It needs PostgreSQL, and takes a Redis if there is
// one.

import { findPostgres } from '../support/postgres.ts';
import { runFleet } from './fleet.ts';

const passes = Number(process.env.KITSYNC_FLEET_PASSES ?? 1_000);
const seed = Number(process.env.KITSYNC_FLEET_SEED ?? 1);
const bin = findPostgres();
const say = (line: string): void => void process.stdout.write(`${line}\n`);

if (bin === null) process.exitCode = 1;
else {
  const { lines, problems } = await runFleet({ passes, seed, bin, say });
  for (const line of lines) say(line);
  for (const problem of problems) say(`BROKEN: ${problem}`);
  say(problems.length === 0 ? 'device, computer, kinto.js and server are equal' : 'broken');
  process.exitCode = problems.length === 0 ? 0 : 1;
}
// Connections that are kept would keep it here.
process.exit();
