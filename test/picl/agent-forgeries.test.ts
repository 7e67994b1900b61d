import { expect, test } from 'vitest';
import { forgeriesBeforeAgent } from './agent-forgeries.ts';

/** Of each kind: all 100,008 (`KITSYNC_PICL=whole`) in shares of some minutes, `-t 'share 3 '`. */
const SHARES = process.env.KITSYNC_PICL === 'whole' ? 8 : 1;
const EACH = SHARES === 1 ? 100 : 1_389;

test.each(Array.from({ length: SHARES }, (_, share) => share))(
  'share %i of what was written is believed, and nothing of what was forged',
  async (share) => {
    const said = await forgeriesBeforeAgent({ from: share * EACH, to: (share + 1) * EACH }, 7);
    expect([...said].sort()).toEqual(
      expect.arrayContaining(['same: believed', 'unseen: believed']),
    );
    expect([...said].filter((one) => one.startsWith('detectable')).sort()).toEqual(
      ['badChangeid', 'badSignature', 'fork', 'gap', 'keyMismatch', 'rolledBack', 'truncated'].map(
        (reason) => `detectable: ${reason}`,
      ),
    );
  },
  3_600_000,
);
