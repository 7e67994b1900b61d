import { expect, it, test } from 'vitest';
import { parseSignIn } from './options.ts';

const APPS = [
  ...['--owa', 'https://o.example/owa/', '--accounts', 'https://a.example'],
  ...['--email', 'u@x.test', '--credentials', 'f'],
];

it('is a sign-in at an accounts server, for a login that may be named in two ways', () => {
  const signIn = {
    ...{ owaUrl: 'https://o.example/owa/verify', accountsUrl: 'https://a.example' },
    ...{ email: 'u@x.test', passwordFile: null, credentialsFile: 'f', allowHttp: false },
  };
  expect(parseSignIn(APPS)).toEqual(signIn);
  const login = 'https://o.example/storage-verify';
  const named = [...APPS.slice(0, 1), login, ...APPS.slice(2), '--password-file', 'p'];
  expect(parseSignIn(named)).toEqual({ ...signIn, owaUrl: login, passwordFile: 'p' });
});

test.each([
  [[...APPS, '--kinto', 'https://k.example'], '--owa and --kinto exclude each other'],
  [[...APPS, '--client-id', 'c'], '--owa and --client-id exclude each other'],
  [[...APPS, '--redirect', 'https://r'], '--owa and --redirect exclude each other'],
  [[...APPS, '--new-key'], '--owa and --new-key exclude each other'],
  [[...APPS.slice(0, 4), ...APPS.slice(6)], '--email is missing'],
  [[...APPS.slice(0, 2), ...APPS.slice(4)], '--accounts is missing'],
  [APPS.slice(0, 6), '--credentials is missing'],
  [[...APPS, '--email', 'a\nb'], '--email must be an address'],
  [
    ['--owa', 'http://o.example', ...APPS.slice(2)],
    '--owa: http://o.example is not encrypted: use https, or allow it with --allow-http',
  ],
])('is refused in a line: %j', (args, line) => {
  expect(() => parseSignIn(args)).toThrow(line);
});
