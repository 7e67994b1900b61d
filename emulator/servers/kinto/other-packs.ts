// Another client of a user's records in packs on a Kinto, in the published form: it takes apart
// what devices have sealed together, and nothing of the agent is in it.

import type { otherClient } from './other-client.ts';

/** Deleted, or lying alone: see docs/kinto-encryption.md. */
const DELETED = 1;
const ALONE = 2;

interface PackedRecord {
  readonly wireId: string;
  readonly writtenMs: number;
  /** Null: it is deleted. */
  readonly text: string | null;
}

export const isPackId = (id: string): boolean => /^p-[0-3]{0,11}$/.test(id);

/** What lies in the pack of this id, but for what lies alone; null: it does not open. */
export function packedRecords(
  { open }: Pick<ReturnType<typeof otherClient>, 'open'>,
  packId: string,
  payload: string,
): PackedRecord[] | null {
  const [id, form, ...items] = textsOf(Buffer.from(opened(open, payload) ?? ''));
  if (id !== packId.padEnd(16) || !/^1 [01]$/.test(form ?? '')) return null;
  const records: PackedRecord[] = [];
  while (items.length > 0) {
    const [hash = '', numbers = ''] = items.splice(0, 2);
    const [kind, writtenMs = 0, , count = 0] = numbers.split(' ').map(Number);
    const text = items.splice(0, count).join('');
    if (kind === ALONE) continue;
    records.push({ wireId: `h-${hash}`, writtenMs, text: kind === DELETED ? null : text });
  }
  return records;
}

function opened(open: (payload: string) => string | null, payload: string): string | null {
  try {
    return open(payload);
  } catch {
    return null;
  }
}

/** The texts of a CBOR sequence that has nothing else, none of more than 127 bytes. */
function textsOf(bytes: Buffer): string[] {
  const texts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const head = bytes[at++] ?? 0;
    const length = head === 0x78 ? (bytes[at++] ?? 0) : head - 0x60;
    texts.push(bytes.toString('utf8', at, at + length));
    at += length;
  }
  return texts;
}
