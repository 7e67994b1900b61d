import { describe, expect, test } from 'vitest';
import { parseEmulate } from './options.ts';
import { UsageError } from './usage.ts';

/** The complaint about a command line, or that there is none. */
function complaint(args: readonly string[]): string {
  try {
    parseEmulate(args);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).message).not.toContain('\n');
    return (error as UsageError).message;
  }
  return 'no complaint';
}

describe('the remotes of a device', () => {
  const remotesOf = (...args: string[]) => {
    const { name, protocol, collections, others } = parseEmulate(args);
    return [{ name, protocol, collections }, ...others].map((one) =>
      [one.name, one.protocol, ...one.collections].join(' '),
    );
  };

  test('are one, with history and passwords, unless more are named', () => {
    expect(remotesOf()).toEqual(['first syncto history passwords']);
    expect(remotesOf('--remote', 'notes=sync15:notes')).toEqual([
      'first syncto history passwords',
      'notes sync15 notes',
    ]);
  });

  test('take from the first what they name; where nothing is left, one of them is it', () => {
    const named = [
      '--remote',
      'home=syncto:history,passwords',
      '--remote',
      'n=sync15:a.b,generic(c)',
    ];
    expect(remotesOf(...named)).toEqual(['home syncto history passwords', 'n sync15 a.b c']);
    expect(remotesOf('--remote', 'n=sync15:passwords', '--protocol', 'sync15')).toEqual([
      'first sync15 history',
      'n sync15 passwords',
    ]);
    expect(remotesOf('--remote', 'a=sync15', '--remote', 'n=syncto:n')).toEqual([
      'a sync15 history passwords',
      'n syncto n',
    ]);
    expect(remotesOf('--remote', 'n=syncto:n', '--remote', 'first=sync15:history')).toEqual([
      'first sync15 history',
      'n syncto n',
    ]);
  });

  test('have contacts on a Kinto, unless others are named, and a password there', () => {
    expect(remotesOf('--protocol', 'kinto')).toEqual(['first kinto contacts']);
    expect(remotesOf('--remote', 'k=kinto', '--remote', 'l=kinto:settings,history')).toEqual([
      'first syncto passwords',
      'k kinto contacts',
      'l kinto settings history',
    ]);
    const auth = (...args: string[]) => parseEmulate(['--protocol', 'kinto', ...args]).auth;
    expect([auth(), auth('--sign-in'), auth('--auth', 'bearer')]).toEqual([
      'basic',
      'basic',
      'bearer',
    ]);
  });

  test('have accounts, records, sign-ins and servers of their own', () => {
    const args = [
      ...['--remote', 'notes=sync15:notes', '--records', '3', '--records', 'notes=5'],
      ...['--auth', 'bearer', '--auth', 'notes=bearer'],
      ...['--off', 'notes=2-3', '--off', 'first=1', '--off', 'notes', '--sign-out', 'notes'],
    ];
    expect(parseEmulate(args)).toMatchObject({
      ...{ name: 'first', auth: 'bearer', records: 3, account: null, signOut: ['notes'] },
      others: [{ name: 'notes', auth: 'bearer', records: 5, account: null, serverUrl: null }],
      off: [
        { name: 'notes', rounds: [2, 3] },
        { name: 'first', rounds: [1] },
        { name: 'notes', rounds: [1, 2, 3] },
      ],
    });
  });

  const notes = ['--remote', 'notes=sync15:notes'];
  test.each<[args: string[], complaint: string]>([
    [['--remote', 'notes'], '--remote must be NAME=PROTOCOL[:COLLECTIONS], NAME of'],
    [['--remote', 'No=sync15:x'], '--remote must be NAME=PROTOCOL[:COLLECTIONS], NAME of'],
    [
      ['--remote', 'a=caldav:x'],
      '--remote a must be syncto or sync15 or kinto or picl or owa, not "caldav"',
    ],
    [['--remote', 'a=sync15:'], '--remote a: "" is none of history, passwords,'],
    [['--remote', 'a=sync15:meta'], '--remote a: "meta" is none of history, passwords,'],
    [['--remote', 'a=sync15:x', '--remote', 'a=sync15:y'], '--remote a is there twice'],
    [['--remote', 'a=sync15:x', '--remote', 'b=syncto:x'], '--remote: x is of a and of b'],
    [['--remote', 'a=sync15', '--remote', 'b=syncto'], '--remote b: no collection is left'],
    [['--protocol', 'sync15', '--remote', 'a=sync15'], 'no collection is left for the first'],
    [['--protocol', 'sync15', '--remote', 'first=sync15'], '--remote first and --protocol excl'],
    [[...notes, '--auth', 'notes=browserid'], '--protocol sync15 knows no --auth but bearer'],
    [['--protocol', 'owa', '--sign-in'], '--protocol owa knows no --sign-in: its servers take no'],
    [['--auth', 'basic'], '--protocol syncto knows no --auth but browserid and bearer'],
    [
      ['--protocol', 'kinto', '--sign-in', '--auth', 'bearer'],
      '--sign-in to a Kinto is by name and password: it excludes --auth bearer',
    ],
    [
      ['--sign-in', '--remote', 'k=kinto', '--records', 'k=5'],
      '--sign-in to a Kinto makes a key, and finds nothing there: it excludes --records of it',
    ],
    [['--protocol', 'kinto', '--remote', 'a=kinto'], '--remote: contacts is of first and of a'],
    [[...notes, '--off', 'note'], '--off: there is no remote "note", but first, notes'],
    [[...notes, '--off', 'notes=4'], '--off notes: "4" must be one sync of 1 to 3, or two'],
    [[...notes, '--off', 'notes=3-1'], '--off notes: "3-1" must be one sync of 1 to 3, or'],
    [[...notes, '--sign-out', 'x'], '--sign-out: there is no remote "x", but first, notes'],
    [[...notes, '--server', 'http://127.0.0.1:1'], '--server notes=URL is missing: all or none'],
    [[...notes, '--server', 'notes=http://127.0.0.1:1'], '--server URL is missing: all or none'],
    [
      [...notes, ...['--server', 'http://127.0.0.1:1', '--server', 'notes=http://127.0.0.1:2']],
      '--account notes=FILE is missing: whose data that server has',
    ],
    [[...notes, '--records', 'notes=x'], '--records must be a whole number from 0'],
  ])('%j are refused', (args, words) => {
    expect(complaint(args)).toContain(words);
  });
});
