import { describe, expect, it } from 'vitest';
import { entryOf, secondsOf, stampOf } from './installed-entry.ts';

const APP = { last_modified: 1_316_560_000.25, manifest: { name: 'A' } };
const kind = (entry: unknown, id = 'https://a.example') => entryOf({ id, entry }).kind;

describe('an entry', () => {
  it('is live with a manifest, or with where it is', () => {
    expect(kind(APP)).toBe('live');
    expect(kind({ last_modified: 5, manifest_url: 'https://a.example/m' })).toBe('live');
    expect(kind({ last_modified: 5 })).toBe('carried');
  });

  it('O12: has its manifest as an object; a text of one is taken, and nothing else', () => {
    expect(kind({ ...APP, manifest: '{"name":"A"}' })).toBe('live');
    for (const manifest of ['A', '[]', '', [], null, 7, true, '{']) {
      expect([manifest, kind({ ...APP, manifest })]).toEqual([manifest, 'carried']);
    }
    expect(kind({ ...APP, manifest_url: 7 })).toBe('carried');
  });

  it('O7: is deleted with deleted and last_modified alone', () => {
    expect(kind({ deleted: true, last_modified: 5 })).toBe('deleted');
    expect(kind({ ...APP, deleted: true })).toBe('deleted');
    expect(kind({ deleted: true })).toBe('carried');
  });

  it('O10: deletes by true and by nothing else', () => {
    expect(kind({ ...APP, deleted: false })).toBe('live');
    for (const deleted of ['true', 1, null, {}, []]) {
      expect([deleted, kind({ ...APP, deleted })]).toEqual([deleted, 'carried']);
    }
  });

  it('O4, O6: is carried under a name that is none', () => {
    for (const id of [
      ...['http://a.example:80', 'http://a.example/', 'https://A.example', 'chrome://browser'],
      ...['file:///home/x', 'app://uuid', '__proto__', '', 'https://u@a.example'],
    ]) {
      expect([id, kind(APP, id)]).toEqual([id, 'carried']);
    }
    expect(kind(APP, 'https://a.example:8080')).toBe('live');
  });

  it('is carried if it is no object', () => {
    for (const entry of [null, [], [APP], 'x', 5, true]) expect(kind(entry)).toBe('carried');
  });
});

describe('a stamp', () => {
  it('O62: is seconds, or milliseconds as old clients wrote', () => {
    expect(secondsOf(1_316_560_000.25)).toBe(1_316_560_000.25);
    expect(secondsOf(1_316_560_000_250)).toBe(1_316_560_000.25);
    expect(secondsOf('1316560000.25')).toBe(1_316_560_000.25);
    expect(secondsOf('1.3e12')).toBe(1.3e9);
  });

  it('is none if it is no number above 0', () => {
    for (const stamp of [
      ...[0, -1, -0, Number.NaN, Infinity, null, undefined, {}, [], [5], true],
      ...['', 'NaN', 'Infinity', ' 5', '5 ', '0x10', '+5', '-5', '1e999', '.5', '5.', '1_000'],
    ]) {
      expect([stamp, secondsOf(stamp)]).toEqual([stamp, 0]);
    }
  });

  it('O51: of a change is when it was made', () => {
    expect(stampOf(1_316_560_000_257, 0)).toBe(1_316_560_000.257);
    expect(stampOf(1_316_560_000_257, 1_316_560_000.25)).toBe(1_316_560_000.257);
  });

  it('O52: of a change is later than what it was made from, wherever that lies', () => {
    expect(stampOf(5_000, 1_316_560_000.25)).toBe(1_316_560_000.251);
    for (const after of [
      ...[0.0005, 1, 1e8 + 0.3, 1e11 - 0.0005, 1e11, 1e11 + 1, 4.4e12, 2 ** 53, 2 ** 53 + 2],
      ...[1e100, 1e300, 1e305, 1.7e305],
    ]) {
      const stamp = stampOf(5, secondsOf(after));
      expect([after, secondsOf(stamp) > secondsOf(after)]).toEqual([after, true]);
      expect([after, secondsOf(stamp) < secondsOf(after) * 3 + 1]).toEqual([after, true]);
    }
    const last = stampOf(5, secondsOf(Number.MAX_VALUE));
    expect(secondsOf(last)).toBe(secondsOf(Number.MAX_VALUE));
  });

  it('is one whatever the clock says', () => {
    for (const ms of [0, -5, 1, 1e17, 8.64e15])
      expect(secondsOf(stampOf(ms, 0))).toBeGreaterThan(0);
  });
});
