import { expect, test } from 'vitest';
import { forgeriesBeforeAgent } from './agent-forgeries.ts';

/** Of each kind; 100,000 of them take some twenty minutes: `KITSYNC_PICL=whole`. */
const EACH = process.env.KITSYNC_PICL === 'whole' ? 11_112 : 100;

test('a device believes what was written, and takes nothing of what was forged', async () => {
  const said = await forgeriesBeforeAgent(EACH, 7);
  expect([...said].sort()).toEqual(expect.arrayContaining(['same: believed', 'unseen: believed']));
  expect([...said].filter((one) => one.startsWith('detectable')).sort()).toEqual(
    ['badChangeid', 'badSignature', 'fork', 'gap', 'keyMismatch', 'rolledBack', 'truncated'].map(
      (reason) => `detectable: ${reason}`,
    ),
  );
}, 3_600_000);
