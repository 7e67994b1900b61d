import { expect, test } from 'vitest';
import { checkApp, checkLimit, isOrigin, textOfApp } from './apps-rules.ts';
import type { SystemApp } from './ports.ts';

const APP: SystemApp = { manifest: { name: 'a' } };

test.each<[isOne: boolean, origin: unknown]>([
  [true, 'http://a.example'],
  [true, 'https://a.example:8080'],
  [true, 'app://7f3c-uuid'],
  [true, `https://${'a'.repeat(192)}`],
  [false, `https://${'a'.repeat(193)}`],
  [false, 'a.example'],
  [false, 'http://'],
  [false, 'HTTP://a.example'],
  [false, 'http://a example'],
  [false, 'http://bücher.example'],
  [false, 'http://a\nb'],
  [false, '__proto__'],
  [false, ''],
  [false, null],
])('it is %s that an app may be known by %j', (isOne, origin) => {
  expect(isOrigin(origin)).toBe(isOne);
});

test.each<[app: object, message: string]>([
  [{}, 'manifest: not an object'],
  [{ manifest: null }, 'manifest: not an object'],
  [{ manifest: [] }, 'manifest: not an object'],
  [{ manifest: '{"name":"a"}' }, 'manifest: not an object'],
  [{ manifest: {} }, 'manifest.name: not a text'],
  [{ manifest: { name: '' } }, 'manifest.name: not a text'],
])('refuses %j and names the member', (app, message) => {
  const refused = expect.objectContaining({ code: 'refused', message });
  expect(() => checkApp('http://a', app as SystemApp)).toThrow(refused);
});

test('an app is stored with the members of the port, and no other one', () => {
  const more = { ...APP, install_time: 1.5, sync: true, last_modified: 7 };
  expect(textOfApp(more)).toBe('{"manifest":{"name":"a"},"install_time":1.5}');
  expect(() => checkApp('http://a', more)).not.toThrow();
});

test('a list names 1 to 100 apps', () => {
  for (const limit of [1, 100]) expect(() => checkLimit(limit)).not.toThrow();
  for (const limit of [0, 101, -1, 1.5, Number.NaN]) {
    expect(() => checkLimit(limit)).toThrow(RangeError);
  }
});
