import { expect, it, test } from 'vitest';
import { parseSignIn } from './options.ts';

const KINTO = ['--kinto', 'https://k.example/v1/', '--user', 'bob', '--credentials', 'f'];
const NOTHING = {
  ...{ isBearer: false, passwordFile: null, keyFile: null, isNewKey: false, isCode: false },
  allowHttp: false,
};

it('is a sign-in of a name at a Kinto, however its address is written', () => {
  const bob = { ...NOTHING, kintoUrl: 'https://k.example', user: 'bob', credentialsFile: 'f' };
  expect(parseSignIn(KINTO)).toEqual(bob);
  expect(parseSignIn([...KINTO.slice(0, 2), '--user', 'account:bob', ...KINTO.slice(4)])).toEqual(
    bob,
  );
});

it('may be by a token, from a file, with another key', () => {
  const at = [...KINTO.slice(0, 2), ...KINTO.slice(4)];
  expect(parseSignIn([...at, '--bearer', '--password-file', 'p'])).toMatchObject({
    ...{ user: null, isBearer: true, passwordFile: 'p' },
  });
  expect(parseSignIn([...KINTO, '--key-of', 'a', '--new-key'])).toMatchObject({
    ...{ keyFile: 'a', isNewKey: true },
  });
  expect(parseSignIn([...KINTO, '--code'])).toMatchObject({ isCode: true });
});

test.each([
  [['--accounts', 'https://a'], '--kinto and --accounts exclude each other'],
  [['--client-id', 'c'], '--kinto and --client-id exclude each other'],
  [['--redirect', 'r'], '--kinto and --redirect exclude each other'],
  [['--code', '--new-key'], '--code and --new-key exclude each other'],
  [['--code', '--key-of', 'a'], '--code and --key-of exclude each other'],
  [['--user', 'a:b'], '--user must be a name without a colon, 1 to 320 characters'],
  [['--user', ''], '--user is missing'],
  [['--kinto', ''], '--kinto is missing'],
  [['--kinto', 'http://k.example'], '--kinto: http://k.example is not encrypted: use https'],
  [['--kinto', 'https://bob:b@k.example'], '--kinto must hold no user name and no password'],
  [['--kinto', 'https://k.example/?a'], '--kinto must have no query ("?")'],
  [['--credentials', ''], '--credentials is missing'],
  [['--password=b'], "Option '--password' does not take an argument"],
])('is refused with %j', (more, line) => {
  expect(() => parseSignIn([...KINTO, ...more])).toThrow(line);
});

test.each(['--user=b', '--bearer', '--password-file=p', '--code', '--key-of=a', '--new-key'])(
  '%s belongs to a Kinto',
  (option) => {
    const account = ['--accounts', 'https://a', '--client-id', 'c', '--credentials', 'f'];
    expect(() => parseSignIn([...account, '--password', '--email', 'e', option])).toThrow(
      `${option.split('=')[0]} belongs to --kinto URL`,
    );
  },
);

test('--password-file belongs to a server of Open Web Apps, too', () => {
  const account = ['--accounts', 'https://a', '--client-id', 'c', '--credentials', 'f'];
  expect(() => parseSignIn([...account, '--password-file', 'p'])).toThrow(/URL or --owa URL$/);
  expect(() => parseSignIn([...account, '--code'])).toThrow(/--kinto URL$/);
});
