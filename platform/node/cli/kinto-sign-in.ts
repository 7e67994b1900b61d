// `kitsync sign-in --kinto`: a user of a Kinto, with a name and a password there or a token, and
// with the key of their data: that of a recovery code, which is made once and shown once, or that
// of a Firefox account. What comes of it goes into the credentials file, for its owner only.
// Whoever signs in again with that file has its key already, and is asked for no code.

import { existsSync } from 'node:fs';
import { kintoPlaces, SyncError } from '../../../agent/index.ts';
import { type Proof, type UserData, userData } from '../../../agent/signin/user-data.ts';
import type { SyncKey } from '../../ports.ts';
import { type Machine, nodeMachine } from '../platform.ts';
import { complaintOf, Failure, UsageError } from './complaint.ts';
import { type CredentialsFile, readCredentials, writeCredentials } from './credentials.ts';
import type { KintoSignInOptions } from './kinto-options.ts';
import { secretsFor } from './kinto-secrets.ts';
import { type KintoHello, kintoHello, makePlace, proofOf } from './kinto-server.ts';
import { checkWritable } from './private-files.ts';
import { askCode, showNewCode } from './recovery-code.ts';
import type { Terminal } from './terminal.ts';

/** Errors: `UsageError`, `Failure`, `SyncError`. */
export async function signInToKinto(
  options: KintoSignInOptions,
  terminal: Terminal,
): Promise<void> {
  const { credentialsFile, kintoUrl, allowHttp } = options;
  checkWritable(credentialsFile);
  const before = existsSync(credentialsFile) ? readCredentials(credentialsFile, true) : null;
  checkReplaceable(before, options, options.isBearer ? null : options.user);
  const accountKey = options.keyFile && keyOf(options.keyFile, allowHttp);
  const secrets = secretsFor(options, terminal);
  const token = tokenOf(options, await secrets.password());
  const proof = proofOf(token);
  const machine = nodeMachine({ ...terminal.machine, allowHttp });
  try {
    const hello = await kintoHello(machine, kintoUrl, proof);
    const who = whoIs(options, hello, terminal);
    checkReplaceable(before, options, who);
    const there = await userData(machine, kintoUrl, proof, kintoPlaces);
    const asking = { options, who, there, secrets, terminal, entropy: machine.entropy };
    const known = accountKey || (await keptKey(before, options, there));
    const key = known
      ? await checked(known, options, who, there)
      : isToBegin(options, there, secrets.givenCode())
        ? await showNewCode(asking)
        : await askCode(asking);
    const names = options.isBearer ? { uid: who, email: options.user } : { uid: null, email: null };
    const places = { kinto: kintoUrl, owa: null };
    await writeCredentials(credentialsFile, { ...names, ...places, token, key, deviceId: null });
    const at = { kintoUrl, key };
    if (!(await there.isUnder(key))) await claim(machine, at, proof, { who, terminal });
  } finally {
    machine.stop();
  }
  terminal.complain(`Signed in: ${credentialsFile} is written.\n`);
}

/** Errors: `UsageError`. */
function keyOf(path: string, allowHttp: boolean): SyncKey {
  const { key } = readCredentials(path, allowHttp);
  if (key === null) throw new UsageError(`${path} has no key`);
  return key;
}

type Token = CredentialsFile['token'];

function tokenOf({ isBearer, user }: KintoSignInOptions, secret: string): Token {
  return isBearer ? { accessToken: secret } : { name: user ?? '', password: secret };
}

/** Who the server says it is, for people. Errors: `unauthorized`. */
function whoIs(
  { user, isBearer }: KintoSignInOptions,
  { userId, hasAccounts, endsOn, isReadOnly }: KintoHello,
  terminal: Terminal,
): string {
  const isOther = !isBearer && userId !== `account:${user}`;
  if (userId === null || (isOther && hasAccounts)) {
    const what = isBearer ? 'the token is' : 'the name or the password is wrong, or the account is';
    throw new SyncError('unauthorized', `kinto: ${what} not one that the server knows`);
  }
  if (isOther) {
    terminal.complain(
      'kitsync: this server takes any name with any password, each as a user of its own: ' +
        'whoever mistypes the password, or changes it, is somebody else there\n',
    );
  }
  if (endsOn !== null) terminal.complain(`kitsync: the server says that it ends: ${endsOn}\n`);
  if (isReadOnly)
    terminal.complain('kitsync: the server is read-only: nothing can be sent to it\n');
  return isBearer ? userId : (user ?? '');
}

/**
 * The file of another sign-in may have the only copy of a key, or of a token. `who`: null, while it
 * is not known. Errors: `UsageError`.
 */
function checkReplaceable(
  before: CredentialsFile | null,
  { credentialsFile, kintoUrl, isBearer }: KintoSignInOptions,
  who: string | null,
): void {
  if (before === null) return;
  const isNamed = 'password' in before.token;
  const name = 'password' in before.token ? before.token.name : before.uid;
  const isSame = who === null || who === name;
  if (before.kinto === kintoUrl && isNamed !== isBearer && isSame) return;
  const place = before.kinto ?? before.owa ?? 'an accounts server';
  const whose = [name ?? before.email ?? 'somebody', place];
  throw new UsageError(
    `${credentialsFile} is the sign-in of ${whose.join(' at ')}: choose another --credentials, ` +
      'or remove it first',
  );
}

/** The key of the sign-in that the file holds, if there is nothing under another one alone. */
async function keptKey(
  before: CredentialsFile | null,
  { isCode, isNewKey }: KintoSignInOptions,
  there: UserData,
): Promise<SyncKey | null> {
  const key = before?.key ?? null;
  if (key === null || isCode || isNewKey) return null;
  return there.isNone || (await there.isUnder(key)) ? key : null;
}

async function checked(
  key: SyncKey,
  { isNewKey }: KintoSignInOptions,
  who: string,
  there: UserData,
): Promise<SyncKey> {
  if (there.isNone || isNewKey || (await there.isUnder(key))) return key;
  throw new Failure(
    `${who} has data on this server under another key: sign in with --code and its recovery ` +
      'code, or begin beside it with --new-key',
  );
}

function isToBegin(
  { isCode, isNewKey }: KintoSignInOptions,
  { isNone }: UserData,
  given: string | null,
): boolean {
  return isNewKey || (isNone && !isCode && given === null);
}

/** So that the next device of the user is asked for the code, though nothing was synced yet. */
async function claim(
  machine: Machine,
  { kintoUrl, key }: Pick<KintoSignInOptions, 'kintoUrl'> & { readonly key: SyncKey },
  proof: Proof,
  { who, terminal }: { readonly who: string; readonly terminal: Terminal },
): Promise<void> {
  try {
    if (await makePlace(machine, kintoUrl, proof, key)) return;
    terminal.complain(
      `kitsync: the server lets ${who} make no place for the data: its owner has to allow it ` +
        '(kinto.bucket_create_principals)\n',
    );
  } catch (error) {
    // The first sync makes it as well.
    terminal.complain(`kitsync: ${complaintOf(error).line}\n`);
  }
}
