// Local changes as the next ones of a log: sealed for their numbers, each behind the one before it,
// and signed.

import type { Log } from './log.ts';
import type { Change } from './scheme.ts';
import { sealPayloads } from './seal.ts';

/**
 * `previous`: the id before them; `first`: the number of the first one. A payload is cleartext
 * here; null: the record is deleted. Errors: those of the crypto.
 */
export async function mintedChanges(
  { sealing, scheme }: Pick<Log, 'sealing' | 'scheme'>,
  previous: string,
  first: number,
  records: readonly { readonly id: string; readonly payload: string | null }[],
): Promise<Change[]> {
  const items = records.map(({ id, payload }, at) => {
    return { key: id, seqnum: first + at, text: payload };
  });
  const sealed = await sealPayloads(
    sealing,
    items.flatMap(({ key, seqnum, text }) => (text === null ? [] : [{ key, seqnum, text }])),
  );
  const links = items.map(({ key, seqnum, text }) => {
    return { key, seqnum, payload: text === null ? null : (sealed.shift() ?? null) };
  });
  const ids = await scheme.mint(previous, links);
  const signatures = await scheme.sign(ids);
  return links.map((link, at) => {
    return { ...link, changeid: ids[at] ?? '', signature: signatures[at] ?? '' };
  });
}
