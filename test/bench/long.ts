// `npm run test:long [-- --stride N]`: what takes too long for every change. The whole machine
// loses its power at every flash write of a story (cuts.ts), or every Nth, over both protocols.
// Prints what was cut and what came of it; ends with 1 when anything was lost, doubled or left in
// disagreement.

import { parseArgs } from 'node:util';
import { freshFirmware } from '../../emulator/firmware.ts';
import { cutEverywhere, OUTCOMES, PROFILE } from './cuts.ts';

const { values } = parseArgs({ options: { stride: { type: 'string', default: '1' } } });
const stride = Number(values.stride);
if (!Number.isInteger(stride) || stride < 1) {
  console.error(`--stride must be a whole number above 0, not ${values.stride}`);
  process.exit(2);
}

const firmware = await freshFirmware(PROFILE.name);
for (const protocol of ['syncto', 'sync15'] as const) {
  const { writes, points, lost, doubled, complaints } = await cutEverywhere({
    firmware,
    protocol,
    stride,
    onPoint(done) {
      if (done % 50 === 0) console.log(`${protocol}: ${done} cuts so far`);
    },
  });
  for (const complaint of complaints) console.log(`${protocol}: ${complaint}`);
  console.log(
    `${protocol}: ${writes} flash writes, ${points} cuts (${OUTCOMES.join(', ')}): ` +
      `${lost} records lost, ${doubled} doubled, ${complaints.length} complaints`,
  );
  if (complaints.length > 0) process.exitCode = 1;
}
