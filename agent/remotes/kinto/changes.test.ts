// Whether a collection has moved, and when its changes are a comparison of all.

import { describe, expect, test } from 'vitest';
import type { Answer } from '../../wire/http.ts';
import type { RemoteOptions } from '../remote.ts';
import { changesOf, hasMoved, refusalOf } from './changes.ts';
import type { Kinto } from './http.ts';
import { COMPARE_MS } from './limits.ts';
import { polledOf, positionOf, START } from './position.ts';
import { SEALED } from './records.ts';

const NOW = 1_795_000_000_000;
const WHOLE = { ...START, floorMs: NOW, tagMs: NOW, total: 3, young: 1, isWhole: true };
const place = { ...WHOLE, comparedMs: NOW };
const same = { tagMs: NOW, total: 3, young: 1 };
const all = { restart: positionOf(START) };

/** What a server that answers so, with this tag, is asked, and what comes of it. */
async function changed(
  at: typeof place,
  { status = 200, tagMs = NOW, serverNowMs = NOW, isUnburied = false, polled = same } = {},
) {
  const asked: string[] = [];
  const answer: Partial<Answer> = {
    ...{ status, serverNowMs, headers: [['etag', `"${tagMs}"`]] },
    cancel: () => undefined,
  };
  const server = {
    ...{ base: '', recordsPath: () => '/r' },
    http: { send: async ({ url }: { url: string }) => asked.push(url) && answer },
  };
  const options = { config: { recordCharsMax: 9 }, notes: { serverNowMs } };
  const kind = {
    ...{ name: 'c', form: SEALED, isUnburied },
    unlisted: (isBackwards: boolean) => (isBackwards ? ('ours' as const) : ('gone' as const)),
  };
  const [asOptions, asServer] = [options as unknown as RemoteOptions, server as unknown as Kinto];
  const page = await changesOf(asOptions, asServer, kind, positionOf(at), polledOf(polled));
  return { page, asked };
}

describe('changes', () => {
  test('are a page behind the position', async () => {
    const { page, asked } = await changed(place);
    expect(page).toHaveProperty('next');
    expect(asked).toEqual([expect.stringContaining(`&_since=${NOW - 60_000}`)]);
  });

  test('are all that there is where a listing could miss some', async () => {
    const gone = { page: { ...all, whole: 'gone' }, asked: [] };
    expect(await changed(place, { serverNowMs: NOW + COMPARE_MS + 1 })).toEqual(gone);
    expect(await changed(place, { polled: { ...same, total: 4 } })).toEqual(gone);
    expect(await changed(place, { isUnburied: true })).toEqual(gone);
    expect((await changed({ ...place, isWhole: false }, { isUnburied: true })).asked).toHaveLength(
      1,
    );
  });

  test('are all that there is where the time goes backwards', async () => {
    expect((await changed(place, { tagMs: NOW - 1 })).page).toEqual({ ...all, whole: 'ours' });
  });

  test('begin anew where the server does not know the place', async () => {
    expect((await changed(place, { status: 400 })).page).toEqual({ ...all, whole: 'gone' });
    const within = { ...place, isWhole: false, token: 'x' };
    expect((await changed(within, { status: 400 })).page).toEqual({
      restart: positionOf({ ...within, token: null }),
    });
    await expect(changed({ ...place, ...START }, { status: 400 })).rejects.toMatchObject({
      code: 'badResponse',
    });
  });
});

describe('a collection', () => {
  const moved = (signature: typeof same, serverNowMs = NOW, at = place) =>
    hasMoved({ kind: 'there', signature }, at, { serverNowMs } as never);

  test('has moved where its stamp or one of its counts is another', () => {
    expect(moved(same)).toBe(false);
    for (const other of [{ tagMs: NOW + 1 }, { total: 2 }, { young: 2 }]) {
      expect(moved({ ...same, ...other })).toBe(true);
    }
    expect(hasMoved({ kind: 'unknown' }, place, { serverNowMs: NOW } as never)).toBe(true);
    expect(moved(same, NOW, { ...place, isWhole: false })).toBe(true);
  });

  test('has to be compared a week after the last time, if it has changed since', () => {
    const later = NOW + COMPARE_MS + 9;
    expect(moved(same, later, { ...place, comparedMs: NOW - 1 })).toBe(true);
    expect(moved(same, later, place)).toBe(false);
  });

  test('that is not there, and cannot be made, is one to be read only', () => {
    expect(refusalOf({ kind: 'missing' }, 'c')).toMatchObject({ code: 'readOnly' });
    expect(refusalOf({ kind: 'refused' }, 'c')).toMatchObject({ code: 'readOnly' });
    expect(refusalOf({ kind: 'unknown' }, 'c')).toBeNull();
  });
});
