// The first thing of the agent's file that runs on a device: `boot(host)` wires the agent to the bridge.
// What the device may ask for is the list of commands below; see BRIDGE.md.

import {
  type Agent,
  type AgentConfig,
  createAgent,
  fromPort,
  type SignInCall,
  type StorageCall,
  SyncError,
} from '../../agent/index.ts';
import { contents } from './contents.ts';
import { createHostPlatform, type Deliver, type Host } from './host.ts';

export interface Booted {
  readonly deliver: Deliver;
  command(id: number, name: string, text: string): void;
}

/** `config` of the bridge: the agent's own, and whether `open` and `seal` are there. */
type HostConfig = AgentConfig & { readonly crypto: 'software' | 'device' };

/** What a command's JSON may hold; each command looks at its own members. */
interface Arguments {
  readonly collection: string;
  readonly id: string;
  readonly record: { readonly [member: string]: unknown };
  readonly on: boolean;
  readonly confirm: true;
}

type Command = (agent: Agent, args: never) => unknown;

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['enable', (agent) => agent.enable()],
  ['disable', (agent) => agent.disable()],
  ['sync', (agent) => agent.sync()],
  ['cancel', (agent) => agent.cancel()],
  ['status', (agent) => agent.status()],
  ['connection', (agent) => agent.connectionChanged()],
  ['configure', (agent, change) => agent.configure(change)],
  ['observe', (agent, { collection, on }: Arguments) => agent.observe(collection, on)],
  ['initialize', (agent, { confirm }: Arguments) => agent.initializeAccount(confirm)],
  ['devices', async (agent) => ({ devices: await agent.devices() })],
  [
    'storage',
    (agent, { extId, ...call }: StorageCall & { extId: string }) =>
      agent.extensionStorage(extId).call(call),
  ],
  ['signin', (agent, call: SignInCall) => agent.signIn().call(call)],
  ['list', (agent, query: Arguments & { limit: number }) => agent.list(query.collection, query)],
  [
    'get',
    async (agent, { collection, id }: Arguments) => ({ record: await agent.get(collection, id) }),
  ],
  [
    'put',
    async (agent, { collection, record }: Arguments) => ({
      id: await agent.put(collection, record),
    }),
  ],
  ['delete', (agent, { collection, id }: Arguments) => agent.delete(collection, id)],
]);

/** BRIDGE.md, "Loading". Starts the agent; commands that come before it has started wait. */
export function boot(host: Host): Booted {
  const { crypto, ...config }: HostConfig = JSON.parse(`${host('config', 0, '', '', null)}`);
  const { platform, deliver } = createHostPlatform(host, crypto === 'device');
  const agent = createAgent(platform, config, contents);
  const started = agent.start();

  const run = async (name: string, text: string): Promise<unknown> => {
    const command = COMMANDS.get(name);
    if (command === undefined) throw new SyncError('badInput', `command: there is no ${name}`);
    await started;
    return command(agent, argumentsOf(text) as never);
  };

  return {
    deliver,
    command(id, name, text) {
      const reply = (error: string, result: unknown): void =>
        void host('reply', id, error, JSON.stringify(result ?? {}), null);
      // A reply for which there is no memory is refused in few words: somebody waits for it.
      run(name, text)
        .then((result) => reply('', result))
        .catch((error: unknown) => reply(...refusal(error)))
        .catch(() => void host('reply', id, 'outOfMemory', '{}', null));
    },
  };
}

function refusal(error: unknown): [code: string, text: object] {
  try {
    const known = fromPort(error);
    return [known.code, known];
  } catch {
    return ['failed', { message: error instanceof Error ? error.message : '' }];
  }
}

function argumentsOf(text: string): unknown {
  try {
    return JSON.parse(text === '' ? '{}' : text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new SyncError('badInput', 'command: its text is not JSON');
  }
}
