import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { UsageError } from '../../usage.ts';
import { parseGateway } from './options.ts';

const HEX = 'ab'.repeat(32);
const SERVER = ['--token-server', 'https://h/token/'];
const folder = temporaryFolder();

function secretFile(text: string, mode = 0o600): string {
  const path = join(folder, `secret${Math.random()}`);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

const parse = (args: readonly string[], secret?: string) =>
  parseGateway([...SERVER, ...args], { KITSYNC_GATEWAY_SECRET: secret });

function complaint(work: () => unknown): string {
  try {
    work();
    return 'no complaint';
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    const { message } = error as Error;
    expect(message).not.toMatch(/\n|s3cret/);
    return message;
  }
}

describe('kitsync gateway', () => {
  it('takes writes of what devices write, and keeps credentials for five minutes', () => {
    expect(parse([])).toEqual({
      ...{ port: 0, tokenUrl: 'https://h/token', publicUrl: null, hosts: [], secret: null },
      ...{ redisUrl: null, writable: ['history', 'passwords', 'clients'], erasable: [] },
      ...{ cacheSeconds: 300, graceSeconds: 30, allowHttp: false },
    });
  });

  it('may have other names, collections and times', () => {
    const names = ['--host', 'tv', '--host', 'kitchen.local', '--public-url', 'https://s/kitsync/'];
    const collections = ['--write', 'forms', '--erase', 'forms', '--erase', 'tabs'];
    const times = ['--port', '8000', '--cache-seconds', '0', '--grace-seconds', '3600'];
    expect(parse([...names, ...collections, ...times])).toMatchObject({
      ...{ hosts: ['tv', 'kitchen.local'], publicUrl: 'https://s/kitsync', port: 8000 },
      ...{ writable: ['forms'], erasable: ['forms', 'tabs'], cacheSeconds: 0, graceSeconds: 3600 },
    });
    expect(parse(['--read-only'])).toMatchObject({ writable: [], erasable: [] });
    const open = parseGateway(['--token-server', 'http://h', '--allow-http'], {});
    expect(open).toMatchObject({ tokenUrl: 'http://h', allowHttp: true });
  });

  it('has a secret from a file of its user, or else from its surroundings', () => {
    const bytes = Buffer.from(HEX, 'hex');
    expect(parse([], ` ${HEX.toUpperCase()}\n`).secret).toEqual(bytes);
    const fromFile = parse(['--secret-file', secretFile(`${HEX}\n`)], 'cd'.repeat(32));
    expect(fromFile.secret).toEqual(bytes);
    const kept = parse(['--redis', 'rediss://:s3cret@h'], HEX);
    expect(kept.redisUrl).toBe('rediss://:s3cret@h');
  });

  test.each<[string[], string | undefined, string | RegExp]>([
    [['--port', '65536'], undefined, '--port must be a whole number from 0 to 65535'],
    [['--cache-seconds', '3601'], undefined, '--cache-seconds must be a whole number from 0 to 3'],
    [['--grace-seconds', 'x'], undefined, '--grace-seconds must be a whole number from 0 to 3600'],
    [['--host', 'tv:80'], undefined, '--host must be a name without a'],
    [['--public-url', 'ftp://x'], undefined, '--public-url must be an http or https URL'],
    [['--public-url', 'http://h'], undefined, '--public-url: http://h is not encrypted'],
    [['--write', 'a/b'], undefined, 'a collection cannot be named "a/b"'],
    [['--erase', 'x'.repeat(33)], undefined, 'a collection cannot be named "xxx'],
    [['--read-only', '--write', 'x'], undefined, '--read-only excludes --write and --erase'],
    [['--read-only', '--erase', 'x'], undefined, '--read-only excludes --write and --erase'],
    [['--redis', 'redis://h'], undefined, '--redis needs --secret-file or KITSYNC_GATEWAY_SECRET'],
    [['--redis', 'https://s3cret@h'], HEX, '--redis must be a redis:// or rediss:// URL'],
    [[], 's3cret', 'KITSYNC_GATEWAY_SECRET must hold 64 hex digits'],
    [[], '', 'KITSYNC_GATEWAY_SECRET must hold 64 hex digits'],
    [['--secret-file', secretFile('s3cret')], HEX, /^\/.* must hold 64 hex digits$/],
    [['--secret-file', secretFile(HEX, 0o644)], HEX, 'can be read by others'],
    [['--secret-file', '/nonexistent'], HEX, 'cannot read /nonexistent: there is no such file'],
    [['--colour'], undefined, "Unknown option '--colour'"],
    [['now'], undefined, "Unexpected argument 'now'"],
  ])('refuses %j with %j', (args, secret, words) => {
    const line = complaint(() => parse(args, secret));
    if (typeof words === 'string') expect(line).toContain(words);
    else expect(line).toMatch(words);
  });

  it('needs a token server that nobody has to read along', () => {
    expect(complaint(() => parseGateway([], {}))).toBe('--token-server URL is missing');
    const open = complaint(() => parseGateway(['--token-server', 'http://h'], {}));
    expect(open).toContain('--token-server: http://h is not encrypted');
    const secret = complaint(() => parseGateway(['--token-server', 'https://u:s3cret@h'], {}));
    expect(secret).toContain('--token-server must hold no user name and no password');
  });
});
