import { expect, test } from 'vitest';
import { agentReader } from './agent-reader.ts';
import { forgeries, judgedIn, secondReader } from './forgeries.ts';
import { KINDS } from './forgery.ts';

const READERS = new Map([
  ['agent', agentReader],
  ['second', secondReader],
]);
/** Of each kind; together a little more than 100,000. */
const EACH = 11_112;

test('what a server forges is refused, and what one device cannot see two find', async () => {
  const tally = await forgeries(EACH, 1, READERS);
  const judged = judgedIn(tally, 'agent');
  for (const line of [...tally].map(([label, count]) => `${label}: ${count}`).sort())
    console.log(line);
  expect([...judged.keys()]).toEqual([...KINDS]);
  for (const [kind, { same, detectable, unseen }] of judged) {
    expect(same + detectable + unseen).toBe(EACH);
    expect([kind, detectable > EACH / 20]).toEqual([kind, true]);
  }
  const hidden = [...judged].filter(([, { unseen }]) => unseen > 0).map(([kind]) => kind);
  // To drop what came last is to truncate.
  expect(hidden).toEqual(['drop', 'truncate', 'fork', 'rewind']);
}, 400_000);
