// The recovery code between a person and this computer: a new one is shown, once, and is not used
// before its words were seen to be written down; an old one is asked for until it is one, and the
// one under which there is data. Without a person there it is printed, or has been given.

import { SyncError } from '../../../agent/index.ts';
import { keyOfCode, newCode, type UserData } from '../../../agent/signin/user-data.ts';
import type { Entropy, SyncKey } from '../../ports.ts';
import { Failure, UsageError } from './complaint.ts';
import type { KintoSignInOptions } from './kinto-options.ts';
import type { Secrets } from './kinto-secrets.ts';
import { printable, type Terminal } from './terminal.ts';

interface Asking {
  readonly options: KintoSignInOptions;
  /** The user, for people. */
  readonly who: string;
  readonly there: UserData;
  readonly secrets: Secrets;
  readonly terminal: Terminal;
  readonly entropy: Entropy;
}

const TRIES = 5;

/** Resolves to the key of a new code. Errors: `Failure` (its words were not written down). */
export async function showNewCode({ who, there, terminal, entropy }: Asking): Promise<SyncKey> {
  const code = newCode(entropy);
  const beside = there.isNone
    ? ''
    : 'What is on the server under another key stays there, and this key does not open it.\n';
  terminal.complain(
    `A key was made for the data of ${printable(who)}.\n` +
      'This is its recovery code, nine words:\n\n',
  );
  terminal.write(`${code}\n`);
  terminal.complain(
    '\nWrite it down now: it is shown this once. Another computer or phone asks for it, and\n' +
      'who has lost it and all devices has lost the data: nobody else can open that. Whoever\n' +
      `else has the words can read it.\n${beside}`,
  );
  await showToCameras(code, terminal);
  if (terminal.isInteractive === true) await seeItWritten(code, terminal, entropy);
  return keyOfCode(code);
}

/** On a screen only: what is written elsewhere would stay there. */
async function showToCameras(code: string, terminal: Terminal): Promise<void> {
  if (terminal.isInteractive !== true || terminal.columns === undefined) return;
  const { qrLines } = await import('./qr.ts');
  // Capitals make a smaller code, and are the same words.
  const lines = qrLines(code.toUpperCase(), terminal.columns);
  if (lines === null) return;
  terminal.complain(`\nA phone that asks for them may read them here:\n\n${lines}\n`);
}

/** Asks for one of the words: whoever has written them down finds it. */
async function seeItWritten(code: string, terminal: Terminal, entropy: Entropy): Promise<void> {
  const words = code.split('-');
  for (let left = TRIES; left > 0; left--) {
    const at = (entropy.random(1)[0] ?? 0) % words.length;
    terminal.complain(`Word ${at + 1} of what you have written: `);
    const typed = (await terminal.readLine()).trim().toLowerCase();
    if (typed === words[at]) return;
    if (typed === '') break;
    terminal.complain(`That is not word ${at + 1}: compare what you have written.\n`);
  }
  throw new Failure('nothing was written: the next sign-in shows another code');
}

/**
 * Resolves to the key of a code that somebody has. Errors: `UsageError` (none was given, or it has
 * a slip), `Failure` (it is another user's, or another key's).
 */
export async function askCode({ who, there, secrets, terminal }: Asking): Promise<SyncKey> {
  const whose = printable(who);
  if (!there.isNone)
    terminal.complain(`${whose} has data on this server, sealed under a key of theirs.\n`);
  for (let left = TRIES; ; left--) {
    const code = await secrets.code(`Recovery code of ${whose}, nine words: `);
    if (code === '') throw noCode(whose);
    const found = keyIn(code);
    const wrong = typeof found === 'string' ? found : await isOther(found, there, whose);
    if (typeof found !== 'string' && wrong === null) return found;
    if (terminal.isInteractive !== true || left <= 1) {
      throw typeof found === 'string' ? new UsageError(`${wrong}`) : new Failure(`${wrong}`);
    }
    terminal.complain(`${wrong}\n`);
  }
}

function noCode(whose: string): UsageError {
  return new UsageError(
    `no recovery code was given: that of ${whose}'s first device is needed; if it is lost, ` +
      '--new-key begins anew beside what nobody can open any more',
  );
}

/** The key, or what is wrong with the code. */
function keyIn(code: string): SyncKey | string {
  try {
    return keyOfCode(code);
  } catch (error) {
    if (error instanceof SyncError && error.code === 'badInput') return error.message;
    throw error;
  }
}

async function isOther(key: SyncKey, there: UserData, whose: string): Promise<string | null> {
  if (there.isNone || (await there.isUnder(key))) return null;
  return `these words are a code, and not that of the data of ${whose}: look for another`;
}
