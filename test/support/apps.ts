// An app on a device of a test.

import type { AppData } from '../../agent/index.ts';
import type { UserDevice } from './same-user.ts';

/** Whatever address the app has, its origin counts. */
export function appOf({ agent }: Pick<UserDevice, 'agent'>, address = NOTES): AppData {
  const app = agent.forApp?.(address);
  if (app === undefined) throw new Error('the build has no apps');
  return app;
}

export const NOTES = 'https://notes.example';
