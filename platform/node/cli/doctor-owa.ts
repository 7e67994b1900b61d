// What `doctor` looks at on a server of Open Web Apps: whether the accounts server still vouches
// for the user, and whether this server believes it. Nothing is written.

import type { Machine } from '../platform.ts';
import { sessionAssertion } from './assertions.ts';
import type { CredentialsFile } from './credentials.ts';
import { owaHello } from './owa-server.ts';
import { originOf } from './service.ts';

/** Each resolves to what was found, in words. `url`: of the login. Errors of all: `SyncError`. */
export function askedOfOwa(machine: Machine, url: string, file: () => CredentialsFile | null) {
  let assertion = '';
  return {
    async signIn() {
      const { token, email } = file() ?? {};
      if (token === undefined || !('session' in token)) throw new Error('there is no session');
      assertion = await sessionAssertion(machine, token, originOf(url));
      return `the accounts server vouches for ${email}`;
    },
    async hello() {
      const who = await owaHello(machine, url, assertion);
      const whom = who === '' ? '' : `, and knows who asks: ${who}`;
      return `it takes that${whom}; it reads what it keeps`;
    },
  };
}
