// Whether listed changes are the next ones of a log that was read up to a place.

import { SyncError } from '../../errors.ts';
import type { Log } from './log.ts';
import { type Place, wasHead } from './place.ts';
import type { ListedChange } from './read.ts';
import { isEmptyLog } from './tag.ts';
import { violation } from './violation.ts';

/**
 * The changes among `listed` that are behind the place, all of them verified. What comes again is
 * left out if it is what was there. Errors: `badResponse` with the violation; `keyMismatch` where
 * the first signature of all is somebody else's.
 */
export async function verifiedChanges(
  { name, scheme }: Log,
  place: Place,
  listed: readonly ListedChange[],
): Promise<readonly ListedChange[]> {
  const { head } = place;
  const isNew = isEmptyLog(head);
  const at = isNew ? 0 : listed.findIndex(({ seqnum }) => seqnum > head.seqnum);
  const again = at < 0 ? listed : listed.slice(0, at);
  for (const change of again) {
    if (wasHead(place, change) !== false) continue;
    throw violation('fork', `change ${change.seqnum} is another one than before`, name);
  }
  const fresh = at < 0 ? [] : listed.slice(at);
  const first = isNew ? Math.min(fresh[0]?.seqnum ?? 0, 1) : head.seqnum + 1;
  const gap = fresh.findIndex(({ seqnum }, index) => seqnum !== first + index);
  if (gap >= 0) throw violation('gap', `change ${first + gap} is missing`, name);
  if (fresh.length === 0) return fresh;
  const wrong = await scheme.verify(head.changeid, fresh);
  if (wrong >= 0) {
    throw violation(
      'badChangeid',
      `change ${first + wrong} has not the id that it must have`,
      name,
    );
  }
  const forged = await scheme.verifySignatures(fresh);
  if (forged < 0) return fresh;
  // Of a log that nothing is known of: whoever has made it has another key.
  if (isNew && forged === 0) {
    throw new SyncError('keyMismatch', `${name}: the log is signed with another key`, {
      collection: name,
    });
  }
  throw violation('badSignature', `nobody with the key has made change ${first + forged}`, name);
}
