// `kitsync gateway` against what the real Syncto 1.5.0 answered, request by request.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { compared, namedIn } from '../syncto/compared.ts';
import { readRecording } from '../syncto/recording.ts';
import { type Running, startGateway } from '../syncto/subjects.ts';
import { allCases } from '../syncto/table.ts';

let running: Running;
beforeAll(async () => {
  running = await startGateway();
});
afterAll(() => running?.close());

test('it answers as the real one, but for what was decided', async () => {
  const tally = await compared(running, allCases(), readRecording());
  const { count, lines } = namedIn(tally);
  console.log(`${tally.equal} equal, ${count} named\n${lines}`);
  expect(tally.differences.slice(0, 5)).toEqual([]);
  expect(tally.equal).toBeGreaterThan(count * 4);
});
