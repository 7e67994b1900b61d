import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { temporaryFolder } from '../test/support/folders.ts';
import { parseServe } from './serve-options.ts';
import { UsageError } from './usage.ts';

/** The complaint about a command line, or that there is none. */
function complaint(args: readonly string[]): string {
  try {
    parseServe(args);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).message).not.toContain('\n');
    return (error as UsageError).message;
  }
  return 'no complaint';
}

describe('kitsync serve', () => {
  it('is on any port of this machine for a day, with the shipped account, unless told', () => {
    expect(parseServe([])).toMatchObject({
      ...{ port: 0, hosts: [], origins: [], accountIsNamed: false, database: null },
      ...{ publicUrl: null, signUp: false, testAccounts: true, issuers: [], issuerFiles: [] },
      seconds: 86_400,
    });
    expect(parseServe(['--port', '8080', '--seconds', '5'])).toMatchObject({
      port: 8080,
      seconds: 5,
    });
  });

  it('has other names, and pages that may ask', () => {
    const names = ['--host', 'kitchen.local', '--host', 'tv'];
    const more = parseServe([...names, '--allow-origin', 'https://app.example']);
    expect(more).toMatchObject({
      hosts: ['kitchen.local', 'tv'],
      origins: ['https://app.example'],
    });
    expect(parseServe(['--allow-origin', '*']).origins).toEqual(['*']);
    expect(parseServe(['--allow-origin', 'app://[::1]:80']).origins).toEqual(['app://[::1]:80']);
  });

  it('guards test accounts where it keeps something, unless they are wanted', () => {
    const kept = ['--database', '/data'];
    expect(parseServe(kept)).toMatchObject({ database: '/data', testAccounts: false });
    expect(parseServe([...kept, '--test-accounts', '--sign-up'])).toMatchObject({
      testAccounts: true,
      signUp: true,
    });
  });

  test.each(['https://sync.example', 'https://sync.example/kitsync', 'http://127.0.0.1:8100'])(
    'may be called %s',
    (url) => {
      expect(parseServe(['--public-url', url]).publicUrl).toBe(url);
    },
  );

  it('believes the tokens of accounts servers that it asks, or whose keys it has', () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const keys = [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1' }];
    const path = join(temporaryFolder(), 'jwks.json');
    writeFileSync(path, JSON.stringify({ issuer: 'https://accounts.example', keys }));
    const asked = parseServe(['--issuer', 'https://a.example', '--issuer', 'http://127.0.0.1:1']);
    expect(asked.issuers).toEqual(['https://a.example', 'http://127.0.0.1:1']);
    expect(parseServe(['--jwks', path]).issuerFiles).toHaveLength(1);
  });

  test.each<[args: string[], words: string | RegExp]>([
    [['--port', '65536'], '--port must be a whole number from 0 to 65535, not "65536"'],
    [['--port', '-1'], '--port must be a whole number from 0 to 65535, not "-1"'],
    [['--seconds', '0'], '--seconds must be a whole number from 1 to 2000000, not "0"'],
    [['--seconds', '2000001'], '--seconds must be a whole number from 1 to 2000000'],
    [['--host', 'tv:80'], /^--host must be a name without a/],
    [['--issuer', 'http://a.example'], /^--issuer must be an https URL such as .*, not "http:/],
    [['--issuer', 'https://a.example?x'], /^--issuer must be an https URL such as/],
    [['--jwks', '/nonexistent'], '--jwks /nonexistent: there is no such file or folder'],
    [['--account', '/nonexistent'], 'cannot read /nonexistent: there is no such file or folder'],
    [['now'], /^Unexpected argument 'now'/],
    ...['**', 'null', 'https://app.example/', 'app.example', 'https://App.example'].map(
      (origin): [string[], RegExp] => [
        ['--allow-origin', origin],
        /^--allow-origin must be an origin such as .*, not "/,
      ],
    ),
    ...['sync.example', 'https://a.example/', 'ftp://a.example', 'https://a?b', 'https://A'].map(
      (url): [string[], RegExp] => [
        ['--public-url', url],
        /^--public-url must be a URL such as .*, not "/,
      ],
    ),
  ])('refuses %j', (args, words) => {
    expect(complaint(args)).toMatch(words);
  });
});
