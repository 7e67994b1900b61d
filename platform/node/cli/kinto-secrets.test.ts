import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { testTerminal } from '../../../test/support/commands.ts';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { secretsFor } from './kinto-secrets.ts';

const OPTIONS = {
  ...{ kintoUrl: 'https://k.example', user: 'bob', isBearer: false, passwordFile: null },
  ...{ keyFile: null, isNewKey: false, isCode: false, credentialsFile: 'f', allowHttp: false },
};

function fileWith(text: string): string {
  const path = join(temporaryFolder(), 'password');
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

describe('without a person', () => {
  it('takes one line of the input after the other', async () => {
    const terminal = testTerminal({ input: async () => 'one\r\nthe code\n' });
    const secrets = secretsFor(OPTIONS, terminal);
    expect(await secrets.password()).toBe('one');
    expect(secrets.givenCode()).toBe('the code');
    expect([await secrets.code('?'), await secrets.code('?')]).toEqual(['the code', '']);
    expect(terminal.complaints).toBe('');
  });

  it('takes a file before the environment, and that before the input', async () => {
    const input = async () => 'of the input';
    const environment = { KITSYNC_PASSWORD: 'of the environment', KITSYNC_RECOVERY_CODE: 'c' };
    const terminal = Object.assign(testTerminal({ input }), { environment });
    const passwordFile = fileWith('of the file\nnot this\n');
    const all = secretsFor({ ...OPTIONS, passwordFile }, terminal);
    expect([await all.password(), all.givenCode(), await all.code('?')]).toEqual([
      ...['of the file', 'c', 'c'],
    ]);
    expect(await secretsFor(OPTIONS, terminal).password()).toBe('of the environment');
  });

  it('has no code where nobody has given one', async () => {
    const secrets = secretsFor(OPTIONS, testTerminal({ input: async () => 'one\n\n' }));
    expect(secrets.givenCode()).toBeNull();
    await secrets.password();
    expect(secrets.givenCode()).toBeNull();
  });
});

test.each([
  ['', false, 'no password was given'],
  ['a\u0007', false, 'a password must be 1 to 1,024 characters in one line'],
  ['a'.repeat(1_025), false, 'a password must be 1 to 1,024 characters in one line'],
  ['', true, 'no token was given'],
  ['a b', true, 'a token must be 1 to 8,192 ASCII characters'],
])('%j is refused', async (typed, isBearer, line) => {
  const secrets = secretsFor({ ...OPTIONS, isBearer }, testTerminal({ input: async () => typed }));
  await expect(secrets.password()).rejects.toThrow(line);
});
