// Commands of a firmware that has the user's apps on the system: where the user wants to see one of
// them on this device. Installing and removing are `put` and `delete` of the collection `apps`.

import type { Agent } from '../../agent/index.ts';
import type { Commands } from './commands.ts';

export const INSTALLED_COMMANDS: Commands = new Map([
  ['promote', [(agent: Agent, { id, on }: Asked) => agent.promote?.(id, on), 'id on']],
  ['hide', [(agent: Agent, { id, on }: Asked) => agent.hide?.(id, on), 'id on']],
]);

interface Asked {
  readonly id: string;
  readonly on: boolean;
}
