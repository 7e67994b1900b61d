// Hashes, MACs and sealed texts, from text to text, many items in one call: by the device's own
// cryptography where it has some, else in JavaScript. To look at a text costs an interpreter a
// thousand instructions a character, and a device nothing.
// What a device answers is looked at: a fault of its own is never taken for a word about the data.

import type { DeviceCrypto, TextAlgorithm, TextAnswer } from '../platform/crypto-port.ts';
import { batches } from './batches.ts';
import { CryptoError } from './error.ts';
import { softwareTexts } from './software-texts.ts';

/**
 * As `DeviceCrypto.computeTexts`, for any number of items. Errors: `CryptoError` `badDevice` (the
 * device failed, or answered what cannot be), `tooLarge` for an item of more than `itemUnitsMax`.
 */
export type TextCrypto = NonNullable<DeviceCrypto['computeTexts']>;

/** Longer items are refused: in JavaScript one of them alone takes some ten seconds. */
export const itemUnitsMax = 384 * 1024;

/**
 * `pause` lets the device do other work and resolves in a later turn. `keptUnitsMax`: so much of
 * the texts that were hashed is kept decoded in JavaScript, for whoever decrypts them next; left
 * out: nothing.
 */
export function textCrypto(
  device: Pick<DeviceCrypto, 'computeTexts'> | undefined,
  pause: () => Promise<void>,
  keptUnitsMax = 0,
): TextCrypto {
  const compute = device?.computeTexts?.bind(device);
  const work = compute === undefined ? softwareTexts(pause, keptUnitsMax) : byDevice(compute);
  return async (algorithm, key, items) => {
    const answers: TextAnswer[] = [];
    for (const batch of batches(items, unitsIn)) {
      if (batch.some((pieces) => unitsIn(pieces) > itemUnitsMax)) {
        throw new CryptoError('tooLarge', `an item has more than ${itemUnitsMax} characters`);
      }
      for (const answer of await work(algorithm, key, batch)) answers.push(answer);
    }
    return answers;
  };
}

function unitsIn(pieces: readonly string[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

/** A device under guard. */
function byDevice(compute: TextCrypto): TextCrypto {
  return async (algorithm, key, items) => {
    const answers = await compute(algorithm, key, items).catch((error: unknown) => {
      const isPortError = error instanceof Error && 'code' in error && error.code === 'failed';
      throw isPortError ? badDevice(error.message) : error;
    });
    const areRight =
      answers.length === items.length &&
      answers.every((answer, at) => canBe(algorithm, items[at] ?? [], answer));
    if (areRight) return answers;
    throw badDevice(`${algorithm} was answered with what it cannot be`);
  };
}

const digestUnits = 43;
/** Of the head and the tag in base64url. */
const sealedUnitsMin = 39;

function canBe(algorithm: TextAlgorithm, pieces: readonly string[], answer: TextAnswer): boolean {
  if ('code' in answer) {
    const codes = { hmacCheck: ['badMac'], gcmDecrypt: ['badBase64', 'badMac'] };
    const others: readonly string[] = new Map(Object.entries(codes)).get(algorithm) ?? [];
    return answer.code === 'badUtf8' || others.includes(answer.code);
  }
  const { length } = answer.text;
  const given = pieces[pieces.length - 1]?.length ?? 0;
  switch (algorithm) {
    case 'hmacCheck':
      return length === 0;
    case 'gcmEncrypt':
      return length >= sealedUnitsMin + given;
    case 'gcmDecrypt':
      return length <= given - sealedUnitsMin;
    default:
      return length === digestUnits;
  }
}

function badDevice(what: string): CryptoError {
  return new CryptoError('badDevice', `the device's cryptography: ${what}`);
}
