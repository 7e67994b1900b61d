// Bodies in pieces over a host function that the test answers by hand.

import { describe, expect, test } from 'vitest';
import { fromPort } from '../../agent/errors.ts';
import { bufferOf, setUp } from '../../test/support/host.ts';
import { sendWhole } from './host.ts';
import { JOINED_CHARS_MAX, sendPieces } from './pieces.ts';

describe('a body in pieces', () => {
  const streamed = { config: '{"bodies":"streamed"}' };
  const limits = { timeoutMs: 5, windowMs: 6, windowBytesMin: 7, longestMs: 8 };
  const put = { method: 'PUT', url: 'https://a/', headers: [], ...limits } as const;
  const head = JSON.stringify({ stream: 4, status: 200, headers: [] });

  function bodyOf(pieces: readonly (string | Uint8Array | Error)[]) {
    let asked = 0;
    const next = async () => {
      const piece = pieces[asked++] ?? null;
      if (piece instanceof Error) throw piece;
      return piece;
    };
    return { asked: () => asked, body: { lengthBytes: 3, open: () => ({ next }) } };
  }

  const outcome = (work: Promise<unknown>) => work.catch((thrown: unknown) => thrown);

  test('crosses one after the other, each when the one before has left', async () => {
    const { platform, settle, answer, last, calls } = setUp(streamed, sendPieces);
    const { asked, body } = bodyOf(['a', Uint8Array.of(1, 2)]);
    const requested = platform.network.request({ ...put, body });
    await settle();
    const id = last('request')?.id;
    expect(JSON.parse(last('request')?.head ?? '')).toEqual({
      ...{ ...put, body: 'pieces', lengthBytes: 3 },
    });
    expect(last('request')?.text).toBe('');
    expect(last('piece')).toMatchObject({ head: `${id}`, text: 'a', bytes: null });
    expect(asked()).toBe(1);
    await answer(last('piece'));
    expect(last('piece')).toMatchObject({ head: `${id}`, text: '', bytes: bufferOf(1, 2) });
    await answer(last('piece'));
    expect(last('piece')).toMatchObject({ head: `${id} end`, text: '', bytes: null });
    await answer(last('piece'));
    await answer(last('request'), { head });
    expect(await requested).toMatchObject({ status: 200 });
    expect(calls.filter(({ op }) => op === 'piece')).toHaveLength(3);
  });

  test('is not asked for once the answer is there', async () => {
    const { platform, settle, answer, last } = setUp(streamed, sendPieces);
    const { asked, body } = bodyOf(['a', 'b', 'c']);
    const requested = platform.network.request({ ...put, body });
    await settle();
    const piece = last('piece');
    await answer(last('request'), { head });
    await answer(piece);
    expect(await requested).toMatchObject({ status: 200 });
    expect(asked()).toBe(1);
  });

  test('that is made when the answer is there already does not cross', async () => {
    const { platform, settle, answer, last, calls } = setUp(streamed, sendPieces);
    let give: (piece: string) => void = () => undefined;
    const next = () =>
      new Promise<string>((resolve) => {
        give = resolve;
      });
    const requested = platform.network.request({ ...put, body: { open: () => ({ next }) } });
    await settle();
    await answer(last('request'), { head });
    give('late');
    await settle();
    expect(await requested).toMatchObject({ status: 200 });
    expect(calls.some(({ op }) => op === 'piece')).toBe(false);
  });

  test('that its source breaks off ends with its error, and never looks whole', async () => {
    const { platform, settle, answer, last } = setUp(streamed, sendPieces);
    const mine = new Error('mine');
    const requested = outcome(platform.network.request({ ...put, ...bodyOf(['a', mine]) }));
    await settle();
    await answer(last('piece'));
    expect(last('piece')?.head).toBe(`${last('request')?.id} broken`);
    await answer(last('piece'));
    await answer(last('request'), { error: 'offline' });
    expect(await requested).toBe(mine);
  });

  test('fails as the device does', async () => {
    const { platform, settle, answer, last } = setUp(streamed, sendPieces);
    const requested = outcome(platform.network.request({ ...put, ...bodyOf(['a', 'b']) }));
    await settle();
    const piece = last('piece');
    await answer(last('request'), { error: 'offline' });
    await answer(piece);
    expect(await requested).toMatchObject({ code: 'offline' });
  });

  test('is refused by a firmware whose remotes stream none, and nothing is sent', async () => {
    const { platform, calls } = setUp(streamed, sendWhole);
    const { asked, body } = bodyOf(['a']);
    const error = fromPort(await outcome(platform.network.request({ ...put, body })));
    expect(error.code).toBe('deviceFailed');
    expect([asked(), calls.some(({ op }) => op === 'request')]).toEqual([0, false]);
  });

  describe('for a device that takes none', () => {
    const whole = (pieces: readonly (string | Uint8Array | Error)[]) => ({
      ...put,
      body: { open: bodyOf(pieces).body.open },
    });
    const most = 'ü'.repeat(JOINED_CHARS_MAX / 3);

    test.each([
      ['no piece', []],
      ['one', ['a']],
      ['the longest that there can be', [most, most, most]],
      ['a pair in two pieces', ['x\ud83e', '\udda6']],
    ] as const)('is put together: %s', async (_, pieces) => {
      const { platform, settle, answer, last } = setUp({ config: '{}' }, sendPieces);
      const requested = platform.network.request(whole(pieces));
      await settle();
      expect(last('request')).toMatchObject({ text: pieces.join(''), bytes: null });
      expect(JSON.parse(last('request')?.head ?? '')).toEqual(put);
      await answer(last('request'), { head });
      expect(await requested).toMatchObject({ status: 200 });
    });

    test.each([
      ['a character too many', [most, most, most, 'x'], `more than ${JOINED_CHARS_MAX} characters`],
      ['bytes', ['a', Uint8Array.of(1)], 'bytes'],
    ])('is refused, and nothing is sent: %s', async (_, pieces, what) => {
      const { platform, calls } = setUp({ config: '{"bodies":"whole"}' }, sendPieces);
      const error = fromPort(await outcome(platform.network.request(whole(pieces))));
      expect(error).toMatchObject({ code: 'deviceFailed' });
      expect(error.message).toContain(`the body has ${what}, and this device has no operation`);
      expect(calls.some(({ op }) => op === 'request')).toBe(false);
    });

    test('ends with the error of its source, and nothing is sent', async () => {
      const { platform, calls } = setUp({ config: '{}' }, sendPieces);
      const mine = new Error('mine');
      expect(await outcome(platform.network.request(whole(['a', mine])))).toBe(mine);
      expect(calls.some(({ op }) => op === 'request')).toBe(false);
    });
  });

  test('is a text as ever where it is one', async () => {
    const { platform, settle, last } = setUp(streamed, sendPieces);
    void platform.network.request({ ...put, body: 'ü' });
    await settle();
    expect(last('request')?.text).toBe('ü');
    expect(JSON.parse(last('request')?.head ?? '')).toEqual(put);
  });
});
