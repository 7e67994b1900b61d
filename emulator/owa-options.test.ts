import { describe, expect, it, test } from 'vitest';
import { parseServe } from './serve-options.ts';
import { UsageError } from './usage.ts';

describe('kitsync serve owa', () => {
  it('has an OWA server that merges, for its own origin, unless told', () => {
    const { port, picl, owa } = parseServe(['owa', '--port', '80']);
    expect([port, picl, owa]).toEqual([
      ...[80, null],
      {
        ...{ audiences: [], verifyPath: '/verify', failureStatus: 200, replaces: false },
        ...{ tombstonesMax: null },
        ...{ authSeconds: 86_400, loginSeconds: 2_592_000 },
      },
    ]);
    expect(parseServe(['--port', '80']).owa).toBeNull();
    expect(parseServe(['picl']).owa).toBeNull();
  });

  it('takes what is said of its whitelist, its login and what it does with documents', () => {
    const args = ['--audience', 'HTTPS://Apps.example:443/', '--audience', 'http://127.0.0.1:80'];
    const more = ['--verify-path', '/sync/verify', '--failure-status', '400', '--replace'];
    expect(parseServe(['owa', ...args, ...more, '--auth-seconds', '60']).owa).toMatchObject({
      audiences: ['https://apps.example', 'http://127.0.0.1'],
      ...{ verifyPath: '/sync/verify', failureStatus: 400, replaces: true, authSeconds: 60 },
    });
  });

  it('forgets deletions of which there are too many where it is told to', () => {
    const max = (...args: string[]) => parseServe(['owa', ...args]).owa?.tombstonesMax;
    expect(max('--purge-tombstones')).toBe(2_000);
    expect(max('--purge-tombstones', '--tombstones-max', '0')).toBe(0);
  });

  test.each([
    [['--tombstones-max', '5'], '--tombstones-max is for --purge-tombstones'],
    [
      ['--purge-tombstones', '--tombstones-max', '-1'],
      '--tombstones-max must be a whole number from 0 to 50000',
    ],
    [['--audience', 'apps.example'], '--audience must be an origin such as'],
    [['--audience', 'https://apps.example/x'], '--audience must be an origin such as'],
    [['--audience', 'moz-extension://abc'], '--audience must be an origin such as'],
    [['--audience', '*'], '--audience must be an origin such as'],
    [['--verify-path', 'verify'], '--verify-path must be a path such as /sync/verify'],
    [['--verify-path', '/apps/x'], '--verify-path must be a path such as /sync/verify'],
    [['--verify-path', '/a/../b'], '--verify-path must be a path such as /sync/verify'],
    [['--verify-path', '/a b'], '--verify-path must be a path such as /sync/verify'],
    [['--failure-status', '401'], '--failure-status must be 200 or 400, not "401"'],
    [['--auth-seconds', '59'], '--auth-seconds must be a whole number from 60 to 2592000'],
  ])('refuses %j', (args, message) => {
    expect(() => parseServe(['owa', ...args])).toThrow(UsageError);
    expect(() => parseServe(['owa', ...args])).toThrow(message);
    expect(() => parseServe(args)).toThrow('Unknown option');
  });
});
