// The first thing of the agent's file that runs on a device: `boot(host)` wires the agent to the
// bridge. What the device may ask for is in commands.ts; see BRIDGE.md.

import { type AgentConfig, createAgent, fromPort, SyncError } from '../../agent/index.ts';
import { commandOf } from './commands.ts';
import { contents, crypto as cryptoOf, identity, more, send, systemApps } from './contents.ts';
import { createHostPlatform, type Deliver, type Host } from './host.ts';

interface Booted {
  readonly deliver: Deliver;
  command(id: number, name: string, text: string): void;
}

/** `config` of the bridge: the agent's own, and whether `open` and `seal` are there. */
type HostConfig = AgentConfig & { readonly crypto: 'software' | 'device' };

/** An agent that could not start tries again after so long, and at every command. */
const START_AGAIN_MS = 15 * 60_000;

/** What scripts of the program leave for others: parts by their name, and who loads them. */
interface Registry {
  [name: string]: unknown;
  part?(name: string): Promise<unknown>;
}

/** BRIDGE.md, "Loading". Starts the agent; commands that come before it has started wait. */
export function boot(host: Host, registry: Registry): Booted {
  const { crypto, ...config }: HostConfig = JSON.parse(`${host('config', 0, '', '', null)}`);
  const { platform, deliver, evaluate } = createHostPlatform(
    host,
    crypto === 'device',
    send,
    identity,
    systemApps,
    cryptoOf,
  );
  registry.part = partLoader(registry, evaluate);
  const agent = createAgent(platform, config, contents);
  let hasStarted = false;
  const start = (): Promise<void> =>
    agent.start().then(() => {
      hasStarted = true;
    });
  let started = start();

  /**
   * Settles when the agent has started, or cannot: what failed may have been a heap or a flash that
   * was full.
   */
  const settled = async (): Promise<void> => {
    const last = started;
    const again = (): Promise<void> => {
      if (started === last) started = start();
      return started;
    };
    await last.catch(again).catch(() => undefined);
  };
  const keepTrying = (): void => {
    const later = (): Promise<void> => platform.clock.sleep(START_AGAIN_MS).then(settled);
    started.catch(() => later().then(keepTrying));
  };
  keepTrying();

  const run = async (name: string, text: string): Promise<unknown> => {
    const call = commandOf(name, text, more);
    if (!hasStarted) await settled();
    return call(agent);
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

/**
 * What is in the registry is there, the rest is evaluated first: once, however many ask. Errors:
 * `deviceFailed` names the part; who asks again has it tried again.
 */
function partLoader(
  registry: Registry,
  evaluate: (part: string) => Promise<unknown>,
): (name: string) => Promise<unknown> {
  let last: Promise<unknown> = Promise.resolve();
  const load = async (name: string): Promise<unknown> => {
    let detail = {};
    try {
      if (registry[name] === undefined) await evaluate(name);
    } catch (error) {
      const failure = fromPort(error);
      if (failure.code !== 'storageFailed') throw failure;
      ({ detail } = failure);
    }
    if (registry[name] !== undefined) return registry[name];
    throw new SyncError('deviceFailed', `${name}: this part cannot be loaded`, detail);
  };
  return (name) => {
    const turn = last.then(() => load(name));
    last = turn.catch(() => undefined);
    return turn;
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
