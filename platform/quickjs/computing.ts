// The cryptography of a device for firmware that hashes, signs or seals in bulk: all of its port.
// Others leave it out.

import { answersIn, type CryptoOf, cryptoOf } from './host.ts';
import { joinedText } from './values.ts';

/** As `cryptoOf`, and over texts. */
export const computingOf: CryptoOf = (line) => ({
  ...cryptoOf(line),
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
