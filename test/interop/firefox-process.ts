// A Firefox without a window, in a profile of its own that is gone afterwards, and a way to run
// functions with the browser's own privileges in it. It ends with `close`, and the profile with it.
// Never shares a profile, and never takes the user's.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type PreferenceOptions, preferencesFile } from './firefox-preferences.ts';
import { connectMarionette, type Marionette } from './marionette.ts';

export interface FirefoxProcess {
  readonly version: string;
  /** Calls a function of a module in `inside/`, in Firefox; arguments and result travel as JSON. */
  call(module: string, name: string, ...args: unknown[]): Promise<unknown>;
  /** Does what a user does in a page. */
  inPage<T>(work: (page: Page) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Elements are named by CSS selectors. */
interface Page {
  open(url: string): Promise<void>;
  /** From now on all is in this frame; null: in the page itself. */
  frame(selector: string | null): Promise<void>;
  click(selector: string): Promise<void>;
  type(selector: string, text: string): Promise<void>;
  /** What the body of a function returns, or what that resolves to. */
  run(script: string): Promise<unknown>;
}

const START_MS_MAX = 90_000;
const QUIT_MS_MAX = 15_000;
const SCRIPT_MS_MAX = 300_000;
const POLL_MS = 50;

/** Starts `firefox-esr`. Errors: it is not installed, or does not answer within 90 s. */
export async function launchFirefox(options: PreferenceOptions): Promise<FirefoxProcess> {
  const dir = await mkdtemp(join(tmpdir(), 'kitsync-firefox-'));
  await writeFile(join(dir, 'user.js'), preferencesFile(options));
  const child = start(dir);
  try {
    const marionette = await connectMarionette(await portOf(child, dir));
    const version = await openSession(marionette);
    return {
      version,
      call: (module, name, ...args) => callInside(marionette, module, name, args),
      async inPage(work) {
        await marionette.command('Marionette:SetContext', { value: 'content' });
        return work(pageOf(marionette)).finally(() =>
          marionette.command('Marionette:SetContext', { value: 'chrome' }),
        );
      },
      async close() {
        await quit(child, marionette);
        await remove(dir);
      },
    };
  } catch (error) {
    child.kill('SIGKILL');
    await remove(dir);
    throw error;
  }
}

function start(dir: string): ChildProcess {
  const options = ['--headless', '--marionette', '--remote-allow-system-access', '--no-remote'];
  // Its home is the profile too: nothing of the user's is read or written.
  const env = { PATH: process.env.PATH, HOME: dir, MOZ_CRASHREPORTER_DISABLE: '1' };
  const child = spawn('firefox-esr', [...options, '--profile', dir], { env, stdio: 'ignore' });
  child.on('error', () => {});
  return child;
}

/** Waits for the file in which Firefox says where it listens. */
async function portOf(child: ChildProcess, dir: string): Promise<number> {
  const deadlineMs = Date.now() + START_MS_MAX;
  while (Date.now() < deadlineMs) {
    if (child.pid === undefined) throw new Error('firefox-esr is not installed');
    if (child.exitCode !== null) throw new Error(`firefox-esr ended with ${child.exitCode}`);
    const text = await readFile(join(dir, 'MarionetteActivePort'), 'utf8').catch(() => '');
    if (Number(text) > 0) return Number(text);
    await sleep(POLL_MS);
  }
  throw new Error('firefox-esr does not answer');
}

async function openSession(marionette: Marionette): Promise<string> {
  const session = await marionette.command('WebDriver:NewSession', {
    capabilities: { alwaysMatch: { timeouts: { script: SCRIPT_MS_MAX } } },
  });
  await marionette.command('Marionette:SetContext', { value: 'chrome' });
  const { capabilities } = session as { capabilities: { browserVersion: string } };
  return capabilities.browserVersion;
}

async function callInside(
  marionette: Marionette,
  module: string,
  name: string,
  args: unknown[],
): Promise<unknown> {
  const source = await readFile(new URL(`inside/${module}.js`, import.meta.url), 'utf8');
  const script = `${source.replaceAll(/^export /gm, '')}
    return ${name}(...JSON.parse(arguments[0])).then((result) => JSON.stringify(result ?? null));`;
  const answer = await marionette.command('WebDriver:ExecuteScript', {
    script,
    args: [JSON.stringify(args)],
    sandbox: 'system',
    filename: `${module}.js`,
  });
  return JSON.parse((answer as { value: string }).value);
}

function pageOf({ command }: Marionette): Page {
  const element = async (value: string): Promise<string> => {
    const found = await command('WebDriver:FindElement', { using: 'css selector', value });
    const [id = ''] = Object.values((found as { value: Record<string, string> }).value);
    return id;
  };
  return {
    open: async (url) => void (await command('WebDriver:Navigate', { url })),
    async frame(selector) {
      const id = selector === null ? null : await element(selector);
      await command('WebDriver:SwitchToFrame', { id, element: id });
    },
    click: async (selector) =>
      void (await command('WebDriver:ElementClick', { id: await element(selector) })),
    type: async (selector, text) =>
      void (await command('WebDriver:ElementSendKeys', { id: await element(selector), text })),
    async run(script) {
      const answer = await command('WebDriver:ExecuteScript', { script, args: [] });
      return (answer as { value: unknown }).value;
    },
  };
}

async function quit(child: ChildProcess, marionette: Marionette): Promise<void> {
  const exited = once(child, 'exit');
  marionette.command('Marionette:Quit', { flags: ['eForceQuit'] }).catch(() => {});
  await Promise.race([exited, sleep(QUIT_MS_MAX, undefined, { ref: false })]);
  child.kill('SIGKILL');
  marionette.close();
}

/** Firefox's helper processes may write a moment longer. */
function remove(dir: string): Promise<void> {
  return rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
}
