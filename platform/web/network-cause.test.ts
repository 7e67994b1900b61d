import { expect, test } from 'vitest';
import { causeOf } from './network-cause.ts';

const URL = 'https://user:secret@sync.example:8443/1.5/7?token=secret';

function failed(code: unknown, options: ErrorOptions = {}): Error {
  return Object.assign(new Error('secret', options), { code });
}

test('the innermost code is told, with the host', () => {
  const error = new TypeError('fetch failed', { cause: failed('ENOTFOUND') });
  expect(causeOf(error, URL)).toBe('ENOTFOUND sync.example:8443');
  expect(causeOf(failed('EPROTO', { cause: failed('ERR_SSL_X') }), URL)).toMatch(/^ERR_SSL_X /);
});

test('a name with several addresses fails as one of them did', () => {
  const several = new AggregateError([failed('EHOSTUNREACH'), failed('ECONNREFUSED')], 'secret');
  expect(causeOf(several, URL)).toBe('ECONNREFUSED sync.example:8443');
});

test.each([
  ['no error', undefined],
  ['a text', 'secret'],
  ['an error without a code', new Error('secret')],
  ['a code that is a sentence', failed('the secret is secret')],
  ['a code that is a number', failed(7)],
  ['a code that is too long', failed('A'.repeat(61))],
])('%s: the host alone', (_, error) => {
  expect(causeOf(error, URL)).toBe('sync.example:8443');
});

test('an error that is its own cause has an end', () => {
  const error = failed('EPIPE');
  error.cause = error;
  expect(causeOf(error, URL)).toBe('EPIPE sync.example:8443');
});

test('an address that is none is not told', () => {
  expect(causeOf(failed('EPIPE'), 'secret')).toBe('EPIPE');
});
