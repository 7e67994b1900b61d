// The command of a firmware that has collections of apps: what an app asks of those of its origin.
// Which origin a program has is for the device to say, and never for the program.

import { type Agent, type AppCall, badInput } from '../../agent/index.ts';
import type { Commands } from './commands.ts';

export const APP_COMMANDS: Commands = new Map([
  [
    'app',
    [
      (agent: Agent, { origin, ...call }: AppCall & { readonly origin: string }) => {
        if (agent.forApp) return agent.forApp(origin).call(call);
        throw badInput('app: this device has no collections of apps');
      },
      'origin call',
    ],
  ],
]);
