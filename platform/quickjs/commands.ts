// What a device may ask of the agent, with the members that the JSON of each command must have.
// BRIDGE.md lists the same, and bridge-doc.test.ts holds it to that. What crosses the bridge may be
// anything: it is refused here, or by the agent where a member may be left out, and never with an
// error of the engine.

import {
  type Agent,
  badInput,
  isObject,
  jsonOf,
  type SignInCall,
  type StorageCall,
} from '../../agent/index.ts';

/** The members of all commands; which one has which is said below. */
interface Arguments {
  readonly collection: string;
  readonly id: string;
  readonly record: { readonly [member: string]: unknown };
  readonly on: boolean;
  readonly confirm: true;
  readonly remote?: string;
}

type Command = (agent: Agent, args: never) => unknown;
type Change = Parameters<Agent['configure']>[0];

/** All that is said to a remote, if one is named: the call of the same name. */
const OF_REMOTE = ['enable', 'disable', 'sync', 'cancel', 'status'] as const;

/** By name: what is done, and the members that must be there for it. */
export type Commands = ReadonlyMap<string, readonly [command: Command, needed?: string]>;

/** Those that every firmware has. */
export const COMMANDS: Commands = new Map<string, readonly [Command, string?]>([
  ...OF_REMOTE.map(
    (name) => [name, [(agent: Agent, { remote }: Arguments) => agent[name](remote)]] as const,
  ),
  ['connection', [(agent, { remote }: Arguments) => agent.connectionChanged(remote)]],
  ['configure', [(agent, change: Change & Arguments) => agent.configure(change, change.remote)]],
  [
    'observe',
    [(agent, { collection, on }: Arguments) => agent.observe(collection, on), 'collection on'],
  ],
  [
    'initialize',
    [(agent, { confirm, remote }: Arguments) => agent.initializeAccount(confirm, remote)],
  ],
  ['devices', [async (agent, { remote }: Arguments) => ({ devices: await agent.devices(remote) })]],
  [
    'storage',
    [
      (agent, { extId, ...call }: StorageCall & { extId: string }) =>
        agent.extensionStorage(extId).call(call),
      'extId call',
    ],
  ],
  [
    'signin',
    [(agent, call: SignInCall & Arguments) => agent.signIn(call.remote).call(call), 'call'],
  ],
  [
    'list',
    [
      (agent, query: Arguments & { limit: number }) => agent.list(query.collection, query),
      'collection',
    ],
  ],
  [
    'get',
    [
      async (agent, { collection, id }: Arguments) => ({ record: await agent.get(collection, id) }),
      'collection id',
    ],
  ],
  [
    'put',
    [
      async (agent, { collection, record }: Arguments) => ({
        id: await agent.put(collection, record),
      }),
      'collection record',
    ],
  ],
  [
    'delete',
    [(agent, { collection, id }: Arguments) => agent.delete(collection, id), 'collection id'],
  ],
]);

/** What a member is, whatever the command; the others are texts. */
export const KINDS: ReadonlyMap<string, string> = new Map([
  ['on', 'boolean'],
  ['record', 'object'],
]);

/**
 * A command that can be run; `more`: those that this firmware has besides. Errors: `badInput` names
 * the command or the member.
 */
export function commandOf(name: string, text: string, more?: Commands): (agent: Agent) => unknown {
  const row = COMMANDS.get(name) ?? more?.get(name);
  if (row === undefined) throw badInput(`command: there is no ${name}`);
  const [command, needed] = row;
  const args = jsonOf(text || '{}');
  if (!isObject(args)) throw badInput(`${name}: no JSON object`);
  for (const member of needed?.split(' ') ?? []) {
    const kind = KINDS.get(member) ?? 'string';
    const value = args[member];
    if (value === null || typeof value !== kind) throw badInput(`${member}: not a ${kind}`);
  }
  return (agent) => command(agent, args as never);
}
