// Commands of a firmware that has strategies for conflicts: which wait, and deciding one of them.

import type { Agent, Resolution } from '../../agent/index.ts';
import type { Commands } from './commands.ts';

type Call<Name extends 'conflicts' | 'resolve'> = Parameters<NonNullable<Agent[Name]>>;

export const CONFLICTS: Commands = new Map([
  [
    'conflicts',
    [
      (agent: Agent, query: Call<'conflicts'>[1] & { readonly collection: string }) =>
        agent.conflicts?.(query.collection, query),
      'collection',
    ],
  ],
  [
    'resolve',
    [
      (agent: Agent, { collection, id, resolution, tag }: ResolveArguments) =>
        agent.resolve?.(collection, id, resolution, tag),
      'collection id',
    ],
  ],
]);

interface ResolveArguments {
  readonly collection: string;
  readonly id: string;
  readonly resolution: Resolution;
  readonly tag?: string;
}
