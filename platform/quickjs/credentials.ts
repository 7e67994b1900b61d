// The device's account manager where a server asks for a name and a password. Only a firmware with
// such a protocol asks it for them.

import { about, type IdentityOf, identityOf } from './host.ts';

/** BRIDGE.md, `credentials`. */
export const withCredentials: IdentityOf = (line, name) => ({
  ...identityOf(line, name),
  credentials: async (fresh) =>
    JSON.parse((await line.ask('credentials', about(name, fresh))).text),
});
