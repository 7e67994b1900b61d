// What a client of another make writes into a document: entries that no device can read and all
// carry along, and members of apps that nobody here knows.

const app = '"manifest":{"name":"x"}';

/** Name and JSON. */
export const CARRIED: readonly (readonly [string, string])[] = [
  ['file:///system/f1', `{"last_modified":1316560000,${app}}`],
  ['HTTP://Example.com:80/', `{"last_modified":1316560000,${app}}`],
  ['http://example.com:80', '{"last_modified":1316560000,"deleted":true}'],
  ['__proto__', `{"last_modified":1316560000,${app}}`],
  ['constructor', 'null'],
  ['', '[1,2]'],
  ['a b', '"x"'],
  ['b\u00fccher', '12345678901'],
  [`https://${'x'.repeat(1_900)}.example`, '{"last_modified":-1}'],
  ['https://odd.example', `{${app}}`],
  ['https://odd.example', `{"last_modified":"NaN",${app}}`],
  ['https://odd.example', `{"last_modified":5,"deleted":"true",${app}}`],
  ['https://odd.example', '{"last_modified":5,"manifest":[]}'],
  ['https://odder.example', `{"last_modified":0,${app},"more":{"deep":[[[[[[[[1]]]]]]]]}}`],
  ['https://odder.example', `{"last_modified":null,${app},"__proto__":1}`],
];

/** Members of an app. */
export const ODD: readonly object[] = [
  {},
  { 'x-vendor': { nested: [1, { two: null }] } },
  { install_time: 'now', install_origin: 7 },
  { install_time: 1e308, sync: true },
  { credentials: { token: 'of a service' }, note: '\u2028"\\' },
  JSON.parse('{"__proto__":{"name":"y"},"constructor":null}'),
  { more: 'x'.repeat(30_000) },
];
