// What `doctor` looks at on a Kinto: whether it is one that takes anything, whether it knows who
// asks, and under which key the user's data is there. Nothing is written.

import { kintoPlaces } from '../../../agent/index.ts';
import { type Proof, userData } from '../../../agent/signin/user-data.ts';
import type { Machine } from '../platform.ts';
import type { CredentialsFile } from './credentials.ts';
import { Finding } from './finding.ts';
import { type KintoHello, kintoHello, proofOf } from './kinto-server.ts';

/** Each resolves to what was found, in words. Errors of all: `Finding`, `SyncError`. */
export function askedOfKinto(machine: Machine, url: string, file: () => CredentialsFile | null) {
  const proof = (): Proof => {
    const known = file();
    return known === null ? {} : proofOf(known.token);
  };
  let said: KintoHello | null = null;
  return {
    async hello() {
      said = await kintoHello(machine, url, proof());
      const { version, isReadOnly, endsOn } = said;
      if (isReadOnly) throw new Finding('it is read-only', 'ask its owner until when');
      if (endsOn !== null) throw new Finding(`it says that it ends: ${endsOn}`, 'find another');
      return `it is a Kinto${version === '' ? '' : ` ${version}`}, and takes changes`;
    },
    signIn() {
      const userId = said?.userId ?? null;
      const { token = null } = file() ?? {};
      const name = token !== null && 'password' in token ? token.name : null;
      if (userId === null) {
        const what = name === null ? 'the token' : `the password of ${name}`;
        throw new Finding(
          `it does not take ${what}`,
          'sign in again with `kitsync sign-in --kinto`: what waits here is sent then',
        );
      }
      if (name !== null && userId !== `account:${name}` && said?.hasAccounts) {
        throw new Finding(
          `it takes the password of ${name} as that of somebody else`,
          'sign in again: the password was changed',
        );
      }
      return `it knows who asks: ${userId}`;
    },
    async data() {
      const known = file();
      if (known === null || known.key === null) throw new Error('there are no credentials');
      const there = await userData(machine, url, proof(), kintoPlaces);
      if (await there.isUnder(known.key)) {
        if (there.keys < 2) return 'there is a place for data under this key';
        return (
          'there is a place for data under this key, and another one under another key: ' +
          '`kitsync sign-in --kinto` with --code takes that key, and brings both together'
        );
      }
      if (there.isNone) return 'there is none yet: the first sync makes its place';
      throw new Finding(
        'there is data of this user under another key, and none under this one',
        'sign in with --code and its recovery code to have both together',
      );
    },
  };
}
