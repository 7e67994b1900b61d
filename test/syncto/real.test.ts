// `npm run test:syncto`: our servers behind the real Syncto 1.5.0, wherever a Python 3.6 is found.

import { expect, test } from 'vitest';
import { findPython } from './real.ts';
import { record } from './record.ts';
import { readRecording } from './recording.ts';
import { allCases } from './table.ts';

const found = findPython();
const python = 'python' in found ? found.python : null;
if ('missing' in found) console.warn(`The real Syncto is not asked: ${found.missing}`);

test.skipIf(python === null)('the real Syncto answers what was recorded of it', async () => {
  const now = await record(python ?? '', allCases());
  const recorded = readRecording();
  expect(Object.keys(now)).toEqual(Object.keys(recorded));
  const changed = Object.keys(now).filter(
    (name) => JSON.stringify(now[name]) !== JSON.stringify(recorded[name]),
  );
  expect(changed, 'npm run record:syncto writes it anew').toEqual([]);
});
