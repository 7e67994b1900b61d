// The agent before a forged log: a device that has read a part of the truth asks for what comes
// behind it, and stops at what it finds.

import { changesPage } from '../../agent/remotes/picl/changes.ts';
import { piclKeysOf } from '../../agent/remotes/picl/keys.ts';
import type { Log } from '../../agent/remotes/picl/log.ts';
import { advanced, type Place, placeOf, START, wasHead } from '../../agent/remotes/picl/place.ts';
import { chainV1 } from '../../agent/remotes/picl/scheme.ts';
import { violationIn } from '../../agent/remotes/picl/violation.ts';
import type { Page } from '../../agent/remotes/remote.ts';
import { textCrypto } from '../../crypto/texts.ts';
import { nodeDeviceCrypto } from '../../platform/node/crypto.ts';
import { PICL_ROOT } from '../support/picl-log.ts';
import type { Reader } from './forgeries.ts';
import { COLLECTION, type Forgery } from './forgery.ts';

const crypto = textCrypto(nodeDeviceCrypto(), async () => undefined);
const keys = piclKeysOf(PICL_ROOT);
const scheme = chainV1(crypto, keys.signKey(COLLECTION));
const sealing = {
  ...{ crypto, key: keys.sealKey(COLLECTION), collection: COLLECTION },
  entropy: { random: (count: number) => new Uint8Array(count) },
};

export const agentReader: Reader = async ({ log, held }, forgery) => {
  const { tag } = forgery;
  let place = advanced(START, log.slice(0, held));
  // What a pass begins with: the head against the one that was verified.
  if (tag.seqnum <= place.head.seqnum && wasHead(place, tag) === false) return 'fork';
  if (tag.seqnum < place.head.seqnum) return 'rolledBack';
  try {
    for (let pages = 0, hasNext = true; hasNext; pages++) {
      if (pages > PAGES_MAX) throw new Error('the pages do not end');
      const page = (await changesPage(logOf(forgery), STORE, place)) as Page;
      place = await behind(page);
      hasNext = page.hasNext();
    }
    return null;
  } catch (error) {
    const found = violationIn(error) ?? (error as { code?: string }).code;
    if (found === undefined) throw error;
    return found;
  }
};

/** A forged log is shorter. */
const PAGES_MAX = 50;
const STORE = { state: {} } as Parameters<typeof changesPage>[1];

async function behind(page: Page): Promise<Place> {
  await page.next([]);
  return placeOf(page.position([], true));
}

/** A server that answers what was forged, from the change on that it is asked for. */
function logOf({ changes, tag }: Forgery): Log {
  const answer = { status: 200, cancel: () => undefined };
  const page = async (path: string) => {
    const since = Number(/since=(\d+)/.exec(path)?.[1] ?? 0);
    const behindIt = changes.findIndex(({ seqnum }) => seqnum >= since);
    const listed = behindIt < 0 ? [] : changes.slice(behindIt);
    return { answer, json: { changes: listed }, limit: 1_000 };
  };
  const tagOf = () => ({ ...tag, isQuoted: false });
  return { name: COLLECTION, scheme, sealing, written: null, page, tagOf } as unknown as Log;
}
