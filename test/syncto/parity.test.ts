// Ours against what the real Syncto 1.5.0 answered to the same requests: the emulated one, and a
// share of them `kitsync gateway`, which `npm run test:servers` sends all.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compared, namedIn } from './compared.ts';
import { DECISIONS } from './decisions.ts';
import { readRecording } from './recording.ts';
import { startEmulated, startGateway } from './subjects.ts';
import { allCases } from './table.ts';

const recording = readRecording();
const cases = allCases();
const GATEWAY_ONE_IN = 7;

test('each request of the table was recorded', () => {
  expect(cases.map(({ name }) => name)).toEqual(Object.keys(recording));
  const requests = cases.reduce((sum, { steps }) => sum + steps.length, 0);
  expect(requests).toBeGreaterThanOrEqual(500);
});

test('the emulated Syncto answers as the real one, but for what was decided', async () => {
  const tally = await compared(startEmulated(), cases, recording);
  const { count, lines } = namedIn(tally);
  const { equal, unsendable, differences } = tally;
  console.log(`${equal} equal, ${count} named, ${unsendable} that nobody can send\n${lines}`);
  expect(differences.slice(0, 5)).toEqual([]);
  // Of nothing but decisions nobody would see that all is decided.
  expect(equal).toBeGreaterThan(count * 4);
});

test('kitsync gateway does, as far as it is asked here', async () => {
  const running = await startGateway();
  try {
    const { differences, equal } = await compared(running, cases, recording, GATEWAY_ONE_IN);
    expect(differences.slice(0, 5)).toEqual([]);
    expect(equal).toBeGreaterThan(100);
  } finally {
    await running.close();
  }
});

test('docs/servers.md names each decision', () => {
  const text = readFileSync(new URL('../../docs/servers.md', import.meta.url), 'utf8');
  const names = [...new Set(DECISIONS.map(({ name }) => name))];
  expect(names.filter((name) => !text.includes(`| ${name} |`))).toEqual([]);
});
