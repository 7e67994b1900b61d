import { describe, expect, test } from 'vitest';
import { CryptoError } from '../crypto/error.ts';
import type { PortErrorCode } from '../platform/ports.ts';
import { fromPort, ported, SyncError, type SyncErrorCode } from './errors.ts';

const MEANINGS: { readonly [code in PortErrorCode]: SyncErrorCode } = {
  full: 'storageFull',
  damaged: 'damaged',
  failed: 'storageFailed',
  offline: 'offline',
  timeout: 'timeout',
  truncated: 'truncated',
  encoding: 'badResponse',
  unsupported: 'deviceFailed',
  signedOut: 'signedOut',
  unverified: 'unverified',
};

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('what a port throws', () => {
  test.each(Object.entries(MEANINGS))('%s is the SyncError %s', (code, meaning) => {
    const error = fromPort(Object.assign(new Error('why'), { code }));
    expect(error).toBeInstanceOf(SyncError);
    expect(error).toMatchObject({ code: meaning, message: 'why' });
  });

  test('keeps its cause, where that is words to be shown', () => {
    const shown = (cause: unknown) =>
      fromPort(Object.assign(new Error('why'), { code: 'offline', cause })).shown;
    const words = ['ENOTFOUND sync.example', 'ECONNREFUSED [::1]:8000', 'x'.repeat(120)];
    for (const cause of words) {
      expect(shown(cause)).toEqual({ code: 'offline', message: 'why', cause });
    }
    const others = ['', 'x'.repeat(121), 'https://sync.example/1.5/7?t=x', 'a=b', 'ü', 'a\nb', 7];
    for (const cause of [...others, new Error('secret'), { secret: 1 }]) {
      expect(shown(cause)).toEqual({ code: 'offline', message: 'why' });
    }
  });

  test.each([
    ['badKey', 'keyMismatch'],
    ['badKeys', 'keyMismatch'],
    ['badEntropy', 'deviceFailed'],
  ] as const)('cryptography: %s is the SyncError %s', (code, meaning) => {
    expect(fromPort(new CryptoError(code, 'why'))).toMatchObject({ code: meaning });
  });

  test('and is a SyncError already stays that very one', () => {
    const error = new SyncError('conflict', 'x');
    expect(fromPort(error)).toBe(error);
  });

  test.each([
    ['a TypeError', new TypeError('undefined is not a function')],
    ['an Error with a code of nobody', Object.assign(new Error('x'), { code: 'ENOENT' })],
    ['an Error whose code is no text', Object.assign(new Error('x'), { code: 7 })],
    ['the name of a member of all objects', Object.assign(new Error('x'), { code: 'toString' })],
    ['no Error at all', { code: 'offline' }],
    ['nothing', undefined],
  ])('and is %s is thrown again as it is', (_, error) => {
    expect(thrownBy(() => fromPort(error))).toBe(error);
  });

  test('is translated on its way out of a promise, what it resolves to is not', async () => {
    const failing = Promise.reject(Object.assign(new Error('x'), { code: 'full' }));
    await expect(ported(failing)).rejects.toMatchObject({ code: 'storageFull' });
    expect(await ported(Promise.resolve(7))).toBe(7);
  });
});

describe('a SyncError', () => {
  test.each<[SyncErrorCode, string]>([
    ['offline', 'later'],
    ['backoff', 'later'],
    ['badResponse', 'later'],
    ['storageFull', 'later'],
    ['aborted', 'later'],
    ['unauthorized', 'afterUser'],
    ['keyMismatch', 'afterUser'],
    ['clientTooOld', 'afterUser'],
    ['disabled', 'afterUser'],
    ['serviceGone', 'afterUser'],
    ['badInput', 'never'],
    ['tooLarge', 'never'],
  ])('%s: to be tried again %s', (code, retry) => {
    expect(new SyncError(code, 'x').retry).toBe(retry);
  });

  test('has a JSON form with all that a caller needs, and no stack', () => {
    const error = new SyncError('tooLarge', 'record: 9 characters', {
      recordId: '{1}',
      status: 413,
    });
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      code: 'tooLarge',
      message: 'record: 9 characters',
      retry: 'never',
      recordId: '{1}',
      status: 413,
    });
  });
});
