// `npm run syncto:record`: writes the fixture anew, from the real Syncto.

import { writeFileSync } from 'node:fs';
import { findPython } from './real.ts';
import { record } from './record.ts';
import { FIXTURE, toText } from './recording.ts';
import { allCases } from './table.ts';

const found = findPython();
if ('missing' in found) {
  console.error(found.missing);
  process.exitCode = 1;
} else {
  const cases = allCases();
  const recording = await record(found.python, cases);
  writeFileSync(FIXTURE, toText(recording));
  const requests = cases.reduce((sum, { steps }) => sum + steps.length, 0);
  console.log(`${requests} requests in ${cases.length} cases: ${FIXTURE}`);
}
