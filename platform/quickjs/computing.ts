// The device's cryptography for firmware that hashes, signs or seals in bulk: all of its port.
// Others need records alone, and leave this out.

import { answersIn, type CryptoOf, cryptoOf } from './host.ts';
import { joinedText, lengthOf, pack, unpack } from './values.ts';

/** Cryptography that opens and seals records, and computes over bytes and texts. */
export const computingOf: CryptoOf = (line) => ({
  ...cryptoOf(line),
  async compute(algorithm, key, items) {
    const values = [key, ...items.flat()];
    const { bytes } = pack(values);
    const lengths = JSON.stringify(values.map(lengthOf));
    const answer = await line.ask('compute', { head: lengths, text: algorithm, bytes });
    return unpack(JSON.parse(answer.head), '', answer.bytes) as (Uint8Array | null)[];
  },
  async computeTexts(algorithm, key, items) {
    const pieces = items.flat();
    const { head, text } = await line.ask('texts', {
      head: JSON.stringify([algorithm, ...pieces.map((piece) => piece.length)]),
      text: joinedText(pieces),
      bytes: key,
    });
    return answersIn(head, text);
  },
});
