import { describe, expect, it, test } from 'vitest';
import { editOf, fingerprint, systemApp, timeOf } from './system-app.ts';

const MANIFEST = { name: 'a' };
const ORIGIN = 'https://a.example';

describe('an app as the system is given it', () => {
  it('has what the system knows, and nothing of what is only carried', () => {
    const entry = {
      manifest: MANIFEST,
      manifest_url: 'https://a.example/m',
      install_data: ['r'],
      install_origin: 'https://s.example',
      install_time: 5.25,
      odd: 1,
      credentials: 'secret',
      sync: true,
    };
    const { odd, credentials, sync, ...known } = entry;
    expect(systemApp(entry)).toEqual(known);
  });

  it('is read out of a manifest that is JSON in a text', () => {
    expect(systemApp({ manifest: '{"name":"a"}' })).toEqual({ manifest: MANIFEST });
  });

  it.each([[undefined], [null], [7], ['x'], ['[]'], [[]]])(
    'is none with the manifest %j',
    (manifest) => {
      expect(systemApp({ manifest, manifest_url: 'https://a.example/m' })).toBeNull();
    },
  );

  it('leaves out what the system could not take', () => {
    const entry = { manifest: MANIFEST, manifest_url: 7, install_origin: {}, install_time: 'x' };
    expect(systemApp({ ...entry, install_data: null })).toEqual({ manifest: MANIFEST });
    expect(systemApp({ manifest: MANIFEST, install_time: -1 })).toEqual({ manifest: MANIFEST });
  });
});

test('a fingerprint is of the content: not of the order, and not of the time', () => {
  const one = { manifest: { name: 'a', x: { b: 1, c: [2] } }, install_time: 1 };
  const other = { install_time: 9, manifest: { x: { c: [2], b: 1 }, name: 'a' } };
  expect(fingerprint(one)).toBe(fingerprint(other));
  const texts = ['a', 'b', 'ab', 'ba', 'Aa', 'BB', '\u{1f9a6}', ' a', 'a '];
  const all = texts.flatMap((name) => [
    fingerprint({ manifest: { name } }),
    fingerprint({ manifest: { name }, manifest_url: 'https://a' }),
    fingerprint({ manifest: { name }, install_data: name }),
  ]);
  expect(new Set(all).size).toBe(all.length);
});

describe('what the system says otherwise', () => {
  const entry = { manifest: MANIFEST, manifest_url: 'u', install_data: ['1', '2'], odd: 1 };

  it('is the members that it says, and no others', () => {
    const app = { manifest: { name: 'b' }, manifest_url: 'u', install_data: ['1', '2'] };
    expect(editOf(ORIGIN, app, entry)).toEqual({ id: ORIGIN, manifest: { name: 'b' } });
    expect(editOf(ORIGIN, { manifest: MANIFEST }, entry)).toEqual({ id: ORIGIN });
  });

  it('O29: has each receipt that the record had', () => {
    const app = { manifest: MANIFEST, install_data: ['3', '1'] };
    expect(editOf(ORIGIN, app, entry)).toEqual({ id: ORIGIN, install_data: ['3', '1', '2'] });
    const { install_data } = editOf(ORIGIN, { manifest: { name: 'b' } }, entry);
    expect(install_data).toBeUndefined();
  });

  it('is all of it where nothing is recorded', () => {
    const app = { manifest: MANIFEST, install_time: 5 };
    expect(editOf(ORIGIN, app, null)).toEqual({ id: ORIGIN, ...app });
  });
});

test('an app that does not say when it was installed has no time', () => {
  const times = [5, 0, undefined, -1, Number.NaN, Infinity];
  const found = times.map((install_time) => timeOf({ manifest: {}, install_time } as never));
  expect(found).toEqual([5, 0, 0, 0, 0, 0]);
});
