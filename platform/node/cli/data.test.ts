import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { serveControl } from './control.ts';
import { checkFolder, type Data, openData, openInTurn, socketOf } from './data.ts';
import { nobody } from './identity.ts';

let folder: string;
let data: string;
const opened: Data[] = [];
beforeEach(() => {
  folder = temporaryFolder();
  data = join(folder, 'data');
  mkdirSync(data, { mode: 0o700 });
});
afterEach(() => {
  for (const data of opened.splice(0)) data.close();
});

const options = (directory = data, more: object = {}) => ({
  ...{ directory, remote: null, device: null, intervalMs: 0, connection: () => 'none' as const },
  identity: (_: unknown, deviceKey: () => Promise<Uint8Array>) => nobody(deviceKey),
  identityOf: (_name: string, _: unknown, deviceKey: () => Promise<Uint8Array>) =>
    nobody(deviceKey),
  shell: { status: () => undefined, event: () => undefined },
  ...more,
});

async function open(...args: Parameters<typeof options>): Promise<Data> {
  const data = await openData(options(...args));
  opened.push(data);
  return data;
}

describe('a folder', () => {
  it('is good when it does not exist yet', async () => {
    expect(() => checkFolder(join(folder, 'none'))).not.toThrow();
    const { agent } = await open();
    expect(agent.status().state).toBe('disabled');
    expect(readdirSync(data).sort()).toEqual(expect.arrayContaining(['device.key', 'store']));
  });

  it('has a path of at most 86 bytes, whatever it is made of', () => {
    const pathOf = (bytes: number) =>
      `/${'é'.repeat((bytes - 1) >> 1)}${'x'.repeat(1 - (bytes % 2))}`;
    expect(Buffer.byteLength(pathOf(87))).toBe(87);
    expect(() => checkFolder(pathOf(86))).not.toThrow();
    expect(() => checkFolder(pathOf(87))).toThrow('--data must be a path of at most 86 bytes');
  });

  it('is one, and nobody else can look into it', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(() => checkFolder(file)).toThrow(`${file} is not a folder`);
    chmodSync(folder, 0o750);
    expect(() => checkFolder(folder)).toThrow(
      `${folder} can be read by others; mend it with: chmod 700 ${folder}`,
    );
    chmodSync(folder, 0o700);
  });

  it('is named where nothing can be made in it', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const below = join(file, 'data');
    await expect(open(below)).rejects.toThrow(
      `cannot use ${below}: a part of the path is not a folder`,
    );
    const key = join(data, 'device.key');
    mkdirSync(key);
    await expect(open()).rejects.toThrow(`${key}: it is not a file`);
  });

  it('loses what a killed process was writing', async () => {
    for (const name of ['lock.77', 'notes.json.77']) writeFileSync(join(data, name), '');
    await open();
    expect(readdirSync(data)).not.toContain('notes.json.77');
  });
});

describe('the agent on a folder', () => {
  const remote = {
    ...{ protocol: 'sync15', serverUrl: 'https://w', audience: 'https://w/' },
    auth: 'bearer' as const,
  };

  test('has the collections of apps, and those of further services', async () => {
    const others = { work: { remote, collections: ['notes'] } };
    const { agent } = await open(undefined, { own: ['recipes'], others });
    expect(Object.keys(agent.status().remotes ?? {})).toEqual(['first', 'work']);
    for (const name of ['recipes', 'notes', 'history']) {
      await expect(agent.list(name, { limit: 1 })).rejects.toMatchObject({ code: 'disabled' });
    }
    const unknown = agent.list('unheard-of', { limit: 1 });
    await expect(unknown).rejects.toMatchObject({ code: 'badInput' });
  });

  test('has one service where no other one has a collection', async () => {
    const { agent } = await open(undefined, { others: {} });
    expect(agent.status().remotes).toBeUndefined();
  });
});

describe('a folder that somebody has', () => {
  it('is waited for while that is a short command', async () => {
    const first = await openData(options());
    setTimeout(() => first.close(), 120);
    const second = await openInTurn(options());
    opened.push(second);
    expect(second.agent.status().state).toBe('disabled');
  });

  it('is not waited for where a sync answers on it', async () => {
    await open();
    const close = await serveControl(socketOf(data), {} as never);
    const began = Date.now();
    await expect(openInTurn(options())).rejects.toThrow(`${data} is in use`);
    expect(Date.now() - began).toBeLessThan(2_000);
    close();
  });

  it('fails at once for any other reason', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    await expect(openInTurn(options(file))).rejects.toThrow(`${file} is not a folder`);
  });
});
