// A device that holds every collection and is one of the account's devices, at the accounts server
// too: the agent on this machine's own ports, in a directory that is gone afterwards. It syncs on
// command only.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Agent, type AgentEvent, createAgent, type PassReport } from '../../agent/index.ts';
import { createIdentity } from '../../agent/signin/identity.ts';
import { signInWithPassword } from '../../agent/signin/password.ts';
import type { Serving } from '../../emulator/servers/serve.ts';
import { type NodePlatform, nodeMachine, openNodePlatform } from '../../platform/node/platform.ts';
import { FULL, TV } from '../support/everything.ts';

export interface Computer {
  readonly agent: Agent;
  /** Every event so far. */
  readonly events: readonly AgentEvent[];
  /** One pass: what it did, by collection. Throws if it failed or set a record aside. */
  sync(): Promise<PassReport['collections']>;
  close(): Promise<void>;
}

/**
 * Starts it and signs it in; its first sync is still to come. The account has Sync data already.
 */
export async function startComputer(serving: Serving): Promise<Computer> {
  const directory = await mkdtemp(join(tmpdir(), 'kitsync-computer-'));
  const events: AgentEvent[] = [];
  const { account, urls } = serving.world;
  const client = { apiUrl: urls.accounts, clientId: 'kitsync' };
  const credentials = await signInWithPassword(nodeMachine(), { ...client, ...account });
  const platform = await openNodePlatform({
    directory,
    identity: (device, deviceKey) =>
      createIdentity({ device, client, credentials, describe: TV, deviceKey }),
    // Passes that nobody asks for wait for a network that costs nothing.
    connection: () => 'metered',
    shell: { status: () => {}, event: (json) => events.push(JSON.parse(json) as AgentEvent) },
  });
  const agent = agentOf(platform, serving);
  await agent.start();
  return {
    agent,
    events,
    async sync() {
      const { state } = agent.status();
      const { ok, error, collections } = await (state === 'disabled'
        ? agent.enable()
        : agent.sync());
      if (!ok) throw new Error(`the computer did not sync: ${error?.code}, ${error?.message}`);
      for (const [name, { quarantined }] of Object.entries(agent.status().collections)) {
        if (quarantined > 0) throw new Error(`${quarantined} records of ${name} were set aside`);
      }
      return collections;
    },
    async close() {
      platform.close();
      await rm(directory, { recursive: true });
    },
  };
}

const ON = { enabled: true, readOnly: false };
const DAY_MS = 86_400_000;

function agentOf(platform: NodePlatform, { world }: Serving): Agent {
  const remote = {
    protocol: 'sync15',
    serverUrl: world.urls.token,
    audience: '',
    auth: 'bearer',
  } as const;
  return createAgent(
    platform,
    {
      profile: 'computer',
      device: TV,
      remote,
      collections: Object.fromEntries(FULL.collections.map(({ name }) => [name, ON])),
      intervalMs: DAY_MS,
      wifiOnly: true,
      historyRecordsMax: 100_000,
      recordCharsMax: 400_000,
    },
    FULL,
  );
}
