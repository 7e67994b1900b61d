// What the agent on a machine holds: all that there is.

import { type Contents, history, passwords, sync15, syncto } from '../../../agent/index.ts';

export const contents: Contents = {
  drivers: [sync15, syncto],
  collections: [history, passwords],
};

export const PROTOCOLS = contents.drivers.map(({ protocol }) => protocol);
export const COLLECTIONS = contents.collections.map(({ name }) => name);
