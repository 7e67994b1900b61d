import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/folders.ts';
import type { Identity } from '../ports.ts';
import { hasData, type NodePlatformOptions, nodeMachine, openNodePlatform } from './platform.ts';

let directory: string;
beforeEach(() => {
  directory = join(temporaryFolder(), 'data');
});

/** Whose only purpose is to be told from others. */
const identity = (name: string, deviceKey: Identity['deviceKey']): Identity =>
  ({ deviceKey, account: async () => ({ uid: name, email: name }) }) as Identity;

const open = (more: Partial<NodePlatformOptions> = {}) =>
  openNodePlatform({
    directory,
    identity: (_, deviceKey) => identity('the first', deviceKey),
    shell: { status: () => undefined, event: () => undefined },
    ...more,
  });

describe('the folder of a machine', () => {
  it('keeps one key for ever, and is not opened without it', async () => {
    expect(hasData(directory)).toBe(false);
    const first = await open();
    const key = await first.identity.deviceKey();
    await first.storage.commit([['k', 'v']]);
    first.close();
    expect(hasData(directory)).toBe(true);
    const file = join(directory, 'device.key');
    expect([key.length, statSync(file).mode & 0o777]).toEqual([32, 0o600]);
    const second = await open();
    expect(await second.identity.deviceKey()).toEqual(key);
    second.close();
    writeFileSync(file, 'short');
    await expect(open()).rejects.toThrow('has 5 bytes, not 32');
    writeFileSync(file, Buffer.alloc(32));
    await expect(open()).rejects.toThrow('device.key is not the key');
    rmSync(file);
    await expect(open()).rejects.toThrow('device.key is missing: the data needs it');
    // It was let go each time.
    writeFileSync(file, key);
    const last = await open();
    expect(await last.storage.get(['k'])).toEqual(['v']);
    last.close();
  });

  it('is for one process at a time', async () => {
    const first = await open();
    await expect(open()).rejects.toMatchObject({ code: 'failed' });
    first.close();
    (await open()).close();
  });
});

describe('a machine as a device', () => {
  it('has a network that costs nothing, unless it is told else', async () => {
    const platform = await open();
    expect(platform.power.connection()).toBe('wifi');
    expect(platform.identityOf).toBeUndefined();
    platform.close();
    const other = await open({ connection: () => 'none' });
    expect(other.power.connection()).toBe('none');
    other.close();
  });

  it('has a user for each remote, the first one where none is named', async () => {
    const platform = await open({
      identityOf: (name, _, deviceKey) => identity(name, deviceKey),
    });
    const whose = async (of: Identity | undefined) => (await of?.account())?.uid;
    expect(await whose(platform.identity)).toBe('the first');
    expect(await whose(platform.identityOf?.('work'))).toBe('work');
    const key = await platform.identity.deviceKey();
    expect(await platform.identityOf?.('work').deviceKey()).toEqual(key);
    platform.close();
  });

  it('is random, and has the time that it is given', async () => {
    const clock = { nowMs: () => 7, sleep: async () => undefined, pause: async () => undefined };
    const machine = nodeMachine({ clock });
    expect(machine.clock.nowMs()).toBe(7);
    expect(machine.entropy.random(32)).toHaveLength(32);
    expect(machine.entropy.random(32)).not.toEqual(machine.entropy.random(32));
    machine.stop();
  });
});

describe('the network of a machine', () => {
  const limits = { timeoutMs: 1_000, windowMs: 1_000, windowBytesMin: 1, longestMs: 1_000 };
  const asking = (more: Parameters<typeof nodeMachine>[0] = {}) => {
    const asked: string[] = [];
    const machine = nodeMachine({
      fetch: async ({ url }) => {
        asked.push(url);
        return new Response('');
      },
      ...more,
    });
    const ask = (url: string) =>
      machine.network.request({ method: 'GET', url, headers: [], ...limits });
    return { asked, ask, machine };
  };

  it('asks no other machine in the open, and says which one', async () => {
    const lines: string[] = [];
    const { asked, ask, machine } = asking({ onPlainHttp: (line) => lines.push(line) });
    await expect(ask('http://sync.example/')).rejects.toMatchObject({ code: 'offline' });
    expect([asked, lines]).toEqual([[], [expect.stringContaining('http://sync.example')]]);
    await ask('https://sync.example/');
    await ask('http://127.0.0.1:9/');
    expect(asked).toHaveLength(2);
    machine.stop();
  });

  it('asks it where that is allowed', async () => {
    const { asked, ask, machine } = asking({ allowHttp: true });
    await ask('http://sync.example/');
    expect(asked).toEqual(['http://sync.example/']);
    machine.stop();
  });

  it('waits for nobody any more when the machine is stopped', async () => {
    const { ask, machine } = asking({ fetch: () => new Promise(() => undefined) });
    const waiting = ask('https://sync.example/');
    machine.stop();
    await expect(waiting).rejects.toMatchObject({ code: expect.any(String) });
  });
});
